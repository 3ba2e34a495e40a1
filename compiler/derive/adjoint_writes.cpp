#include "compiler/derive/adjoint_writes.h"

using namespace mlir;
using namespace linmu;

/// Rows times a factor [C], [C, columns] or nothing.
static Value scaled(TileBuilder &builder, Value rows, Value factor) {
  if (!factor)
    return rows;
  if (rankOf(factor) == 1)
    factor = builder.along(factor, 0, cast<RankedTensorType>(rows.getType()).getShape());
  return builder.multiply(rows, factor);
}

Value linmu::entered(TileBuilder &builder, const ChunkDecay &decay, Value rows, bool inclusive) {
  return decay ? scaled(builder, rows, decay.fromEntry(builder, inclusive)) : rows;
}

Value linmu::exiting(TileBuilder &builder, const ChunkDecay &decay, Value rows) {
  return decay ? scaled(builder, rows, decay.toExit(builder)) : rows;
}

Value linmu::decayTransposed(TileBuilder &builder, const ChunkDecay &decay, Value weights, Value rows,
                             bool inclusive) {
  return tile::DecayValuesOp::create(builder, rows.getType(), weights, rows, decay.factors(),
                                     /*exclusive=*/!inclusive, /*transposed=*/true);
}

AdjointWrites::AdjointWrites(TileBuilder &builder, pattern::FormOp form, StateChunk &forward,
                             ChunkCotangents cotangents, ValueRange states, ValueRange adjoints)
    : builder_(builder), form_(form), forward_(forward), cotangents_(std::move(cotangents)), states_(states),
      adjoints_(adjoints) {}

void AdjointWrites::use(ArrayRef<Value> writes, ArrayRef<Value> gradients) {
  forward_.useWrites(writes);
  d_writes_.assign(gradients.begin(), gradients.end());
}

Value AdjointWrites::fromExit(int64_t write) {
  if (ChunkCoupling &coupling = paths().coupling()) {
    Value sum;
    for (int64_t p = 0; p < coupling.states(); ++p)
      if (coupling.leads(p, paths().statesOfWrite(write)))
        sum = builder_.dot(paths().exitingKey(write, p), adjoints_[p], {.init = sum});
    return sum;
  }
  Value key = exiting(builder_, paths().decay(), paths().inputs().keys[write]);
  return exiting(builder_, paths().valueDecay(), builder_.dot(key, adjoint(), {}));
}

/// gW + (K X) D + scores^T gY.
Value AdjointWrites::knownOfWrite(int64_t write) {
  const ChunkDecay &decay = paths().valueDecay();
  Value sum = fromExit(write);
  if (Value given = cotangents_.writes[write])
    sum = builder_.add(sum, given);
  for (int64_t read = 0; read < countReads(); ++read) {
    Value given = cotangents_.reads[read];
    if (!given || !paths().sees(read, write))
      continue;
    Value scores = paths().scores(read, write);
    sum = decay ? builder_.add(sum, decayTransposed(builder_, decay, scores, given, inclusive(read)))
                : builder_.dot(scores, given, {.transpose_lhs = true, .init = sum});
  }
  return sum;
}

/// The writes with feedback are the solutions of the forward system transposed, the others follow from them.
ArrayRef<Value> AdjointWrites::dWrites() {
  if (!d_writes_.empty())
    return d_writes_;
  SmallVector<Value> solved;
  for (int64_t write = 0; write < countWrites(); ++write)
    solved.push_back(knownOfWrite(write));
  ArrayRef<int64_t> fed = forward_.system().fedBack();
  if (!fed.empty()) {
    SmallVector<Value> inverse = forward_.system().inverse(), known;
    for (int64_t write : fed)
      known.push_back(solved[write]);
    for (auto [column, write] : llvm::enumerate(fed)) {
      Value sum;
      for (size_t row = 0; row < fed.size(); ++row)
        sum = builder_.dot(inverse[row * fed.size() + column], known[row],
                           {.transpose_lhs = true, .init = sum});
      solved[write] = sum;
    }
    for (int64_t write = 0; write < countWrites(); ++write)
      for (int64_t other : fed)
        if (!llvm::is_contained(fed, write))
          solved[write] = builder_.dot(forward_.system().block(other, write), solved[other],
                                       {.transpose_lhs = true, .init = solved[write]});
  }
  d_writes_ = std::move(solved);
  return d_writes_;
}

/// gY + M^T dW, or null.
Value AdjointWrites::dRead(int64_t read) {
  auto [known, isNew] = d_reads_.try_emplace(read);
  if (!isNew)
    return known->second;
  Value sum = cotangents_.reads[read];
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  for (size_t term = 0; term < form_.getFeedback().size(); ++term)
    if (index[2 * term + 1] == read) {
      Value part = scaled(builder_, dWrites()[index[2 * term]], paths().inputs().feedback[term]);
      sum = sum ? builder_.add(sum, part) : part;
    }
  return d_reads_[read] = sum;
}
