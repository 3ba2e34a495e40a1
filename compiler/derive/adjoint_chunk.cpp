#include "compiler/derive/adjoint_chunk.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

static int64_t columnsOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getDimSize(1); }

AdjointChunk::AdjointChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs,
                           ChunkCotangents cotangents, Value state, Value adjoint)
    : builder_(builder), form_(form), forward_(builder, form, std::move(inputs)), inputs_(forward_.inputs()),
      decay_(forward_.decay()), value_decay_(forward_.valueDecay()), cotangents_(std::move(cotangents)),
      state_(state), adjoint_(adjoint), chunk_(cast<RankedTensorType>(inputs_.live.getType()).getDimSize(0)) {
}

/// Rows times a factor [C], [C, columns] or nothing.
Value AdjointChunk::scaled(Value rows, Value factor) {
  if (!factor)
    return rows;
  if (rankOf(factor) == 1)
    factor = builder_.along(factor, 0, {chunk_, columnsOf(rows)});
  return builder_.multiply(rows, factor);
}
/// Rows of keys or values times what is left of their axis, from the chunk's entry to a read or from a write
/// to the exit.
Value AdjointChunk::entered(const ChunkDecay &decay, Value rows, int64_t read) {
  return decay ? scaled(rows, decay.fromEntry(builder_, inclusive(read))) : rows;
}
Value AdjointChunk::exiting(const ChunkDecay &decay, Value rows) {
  return decay ? scaled(rows, decay.toExit(builder_)) : rows;
}

ArrayRef<Value> AdjointChunk::writes() { return forward_.writes(state_); }

void AdjointChunk::useWrites(ArrayRef<Value> writes, ArrayRef<Value> gradients) {
  forward_.useWrites(writes);
  d_writes_.assign(gradients.begin(), gradients.end());
}

/// (K X) D
Value AdjointChunk::writeExit(int64_t write) {
  return exiting(value_decay_, builder_.dot(exiting(decay_, inputs_.keys[write]), adjoint_, {}));
}

/// gW + (K X) D + scores^T gY.
Value AdjointChunk::knownOfWrite(int64_t write) {
  Value sum = writeExit(write);
  if (Value given = cotangents_.writes[write])
    sum = builder_.add(sum, given);
  for (int64_t read = 0; read < countReads(); ++read) {
    Value given = cotangents_.reads[read];
    if (!given)
      continue;
    Value scores = forward_.scores(read, write);
    sum = value_decay_ ? builder_.add(sum, decayTransposed(value_decay_, scores, given, read))
                       : builder_.dot(scores, given, {.transpose_lhs = true, .init = sum});
  }
  return sum;
}

/// weights^T rows, with the decays by row or by value between the tokens of a read and those before it.
Value AdjointChunk::decayTransposed(const ChunkDecay &decay, Value weights, Value rows, int64_t read) {
  return tile::DecayValuesOp::create(builder_, rows.getType(), weights, rows, decay.factors(),
                                     /*exclusive=*/!inclusive(read), /*transposed=*/true);
}

/// The writes with feedback are the solutions of the forward system transposed, the others follow from them.
ArrayRef<Value> AdjointChunk::dWrites() {
  if (!d_writes_.empty())
    return d_writes_;
  SmallVector<Value> solved;
  for (int64_t write = 0; write < countWrites(); ++write)
    solved.push_back(knownOfWrite(write));
  ArrayRef<int64_t> fed = forward_.fedBack();
  if (!fed.empty()) {
    SmallVector<Value> inverse = forward_.inverse(), known;
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
          solved[write] = builder_.dot(forward_.system(other, write), solved[other],
                                       {.transpose_lhs = true, .init = solved[write]});
  }
  d_writes_ = std::move(solved);
  return d_writes_;
}

/// gY + M^T dW, or null.
Value AdjointChunk::dRead(int64_t read) {
  auto [known, isNew] = d_reads_.try_emplace(read);
  if (!isNew)
    return known->second;
  Value sum = cotangents_.reads[read];
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  for (size_t term = 0; term < inputs_.feedback.size(); ++term)
    if (index[2 * term + 1] == read) {
      Value part = scaled(dWrites()[index[2 * term]], inputs_.feedback[term]);
      sum = sum ? builder_.add(sum, part) : part;
    }
  return d_reads_[read] = sum;
}

/// dY W^T where the read sees the write, C x C; with a decay by value between them.
Value AdjointChunk::products(int64_t read, int64_t write) {
  Value &known = products_[{read, write}];
  if (known)
    return known;
  SmallVector<int64_t> shape{chunk_, chunk_};
  Value given = dRead(read), written = writes()[write];
  if (value_decay_)
    return products_[{read, write}] = tile::DecayScoresOp::create(
               builder_, builder_.f32Tile(shape), given, written, value_decay_.factors(), !inclusive(read));
  Value product = builder_.dot(given, written, {.transpose_rhs = true, .triangle = Triangle::result_lower});
  Value seen = builder_.compare(inclusive(read) ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt,
                                builder_.coordinate(shape, 0), builder_.coordinate(shape, 1));
  return products_[{read, write}] = builder_.select(seen, product, builder_.splat(product.getType(), 0));
}

/// The same with a scalar decay between read and write as well.
Value AdjointChunk::decayedProducts(int64_t read, int64_t write) {
  if (!decay_.isScalar())
    return products(read, write);
  Value &known = decayed_products_[{read, write}];
  if (!known)
    known = builder_.multiply(products(read, write), decay_.betweenTokens(builder_, inclusive(read)));
  return known;
}

/// (dY S^T) E
Value AdjointChunk::readKeyEntry(int64_t read) {
  Value &known = read_key_entries_[read];
  if (!known) {
    Value given = entered(value_decay_, dRead(read), read);
    known = entered(decay_, builder_.dot(given, state_, {.transpose_rhs = true}), read);
    if (decay_) {
      Value paths = builder_.multiply(inputs_.reads[read], known);
      paths_from_entry_[read] = decay_.isScalar() ? builder_.sum(paths, 1) : crossedFromEntry(read, paths);
    }
  }
  return known;
}

/// Of what leads from the entry to each read, what crosses each token; likewise from each write to the exit.
Value AdjointChunk::crossedFromEntry(int64_t read, Value paths) {
  return builder_.cumsum(paths, {.exclusive = !inclusive(read), .reversed = true});
}
Value AdjointChunk::crossedToExit(Value paths) { return builder_.cumsum(paths, {.exclusive = true}); }

/// (W D^T) X
Value AdjointChunk::writeKeyExit(int64_t write) {
  Value &known = write_key_exits_[write];
  if (!known) {
    Value given = exiting(value_decay_, writes()[write]);
    known = exiting(decay_, builder_.dot(given, adjoint_, {.transpose_rhs = true}));
    if (decay_) {
      Value paths = builder_.multiply(inputs_.keys[write], known);
      paths_to_exit_[write] = decay_.isScalar() ? builder_.sum(paths, 1) : crossedToExit(paths);
    }
  }
  return known;
}

Value AdjointChunk::pathsFromEntry(int64_t read) {
  readKeyEntry(read);
  return paths_from_entry_[read];
}
Value AdjointChunk::pathsToExit(int64_t write) {
  writeKeyExit(write);
  return paths_to_exit_[write];
}

Value AdjointChunk::readKey(int64_t read) {
  if (!dRead(read))
    return builder_.splat(inputs_.reads[read].getType(), 0);
  Value sum = readKeyEntry(read);
  for (int64_t write = 0; write < countWrites(); ++write) {
    Value weights = decayedProducts(read, write), key = inputs_.keys[write];
    sum = decay_.isVector()
              ? builder_.add(sum, tile::DecayValuesOp::create(builder_, key.getType(), weights, key,
                                                              decay_.factors(), !inclusive(read),
                                                              /*transposed=*/false))
              : builder_.dot(weights, key, {.triangle = Triangle::lhs_lower, .init = sum});
  }
  return sum;
}

Value AdjointChunk::writeKey(int64_t write) {
  Value sum = writeKeyExit(write);
  for (int64_t read = 0; read < countReads(); ++read) {
    if (!dRead(read))
      continue;
    Value weights = decayedProducts(read, write), key = inputs_.reads[read];
    sum = decay_.isVector() ? builder_.add(sum, decayTransposed(decay_, weights, key, read))
                            : builder_.dot(weights, key, {.transpose_lhs = true, .init = sum});
  }
  return sum;
}

/// dW_i . Y_j
Value AdjointChunk::feedback(int64_t term) {
  int64_t write = form_.getFeedbackIndex()[2 * term], read = form_.getFeedbackIndex()[2 * term + 1];
  return builder_.sum(builder_.multiply(dWrites()[write], forward_.read(read, state_)), 1);
}

/// Of a decay by row the paths along the key axis, of one by value those along the value axis.
Value AdjointChunk::axisDecayGradient(bool byValue) {
  Value factors = (byValue ? value_decay_ : decay_).factors();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(factors.getType()).getShape();
  // Entry to exit.
  Value through = builder_.sum(builder_.multiply(forward_.left(state_), adjoint_), byValue ? 0 : 1);
  Value total = builder_.along(through, 1, shape);
  // A write before the token to the exit.
  for (int64_t write = 0; write < countWrites(); ++write)
    total = builder_.add(total, byValue ? crossedToExit(builder_.multiply(writes()[write], writeExit(write)))
                                        : pathsToExit(write));
  for (int64_t read = 0; read < countReads(); ++read) {
    // By value there is no feedback, so that dY is gY.
    Value given = dRead(read);
    if (!given)
      continue;
    bool exclusive = !inclusive(read);
    total = builder_.add(
        total, byValue ? crossedFromEntry(read, builder_.multiply(given, forward_.entry(read, state_)))
                       : pathsFromEntry(read));
    for (int64_t write = 0; write < countWrites(); ++write) {
      Value weights = byValue ? forward_.scores(read, write) : products(read, write);
      Value reader = byValue ? given : inputs_.reads[read];
      Value writer = byValue ? writes()[write] : inputs_.keys[write];
      total = builder_.add(total, tile::DecayPathsOp::create(builder_, reader.getType(), weights, reader,
                                                             writer, factors, exclusive));
    }
  }
  return total;
}

Value AdjointChunk::scalarDecayGradient() {
  SmallVector<int64_t> shape{chunk_, chunk_};
  Type square = builder_.f32Tile(shape);
  Value zero = builder_.splat(square, 0);
  Value token = builder_.coordinate(shape, 0), other = builder_.coordinate(shape, 1);
  // Entry to exit.
  Value through = builder_.sum(builder_.sum(builder_.multiply(forward_.left(state_), adjoint_), 1), 0);
  Value total = builder_.fill(through, {chunk_});
  // A write before the token to the exit.
  Value exits;
  for (int64_t write = 0; write < countWrites(); ++write) {
    Value part = pathsToExit(write);
    exits = exits ? builder_.add(exits, part) : part;
  }
  auto addRows = [&](arith::CmpIPredicate predicate, Value elements) {
    Value crosses = builder_.compare(predicate, other, token);
    total = builder_.add(total, builder_.sum(builder_.select(crosses, elements, zero), 1));
  };
  if (exits)
    addRows(arith::CmpIPredicate::slt, builder_.along(exits, 1, shape));
  for (bool kind : {false, true}) {
    Value entries, pairs;
    for (int64_t read = 0; read < countReads(); ++read) {
      if (inclusive(read) != kind || !dRead(read))
        continue;
      Value part = pathsFromEntry(read);
      entries = entries ? builder_.add(entries, part) : part;
      for (int64_t write = 0; write < countWrites(); ++write) {
        Value pair = builder_.multiply(forward_.scores(read, write), products(read, write));
        pairs = pairs ? builder_.add(pairs, pair) : pair;
      }
    }
    if (!entries)
      continue;
    // The entry, or a write before the token, to a read behind it: row t holds the sum over those writes.
    Value before = builder_.along(entries, 1, shape);
    if (pairs) {
      Value byWrite = tile::TransposeOp::create(builder_, square, pairs);
      before = builder_.add(before, builder_.cumsum(byWrite, {.exclusive = true}));
    }
    addRows(kind ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt, before);
  }
  return total;
}

Value AdjointChunk::gradient(int64_t operand) {
  if (decay_ && operand-- == 0)
    return decay_.isScalar() ? scalarDecayGradient() : axisDecayGradient(/*byValue=*/false);
  if (value_decay_ && operand-- == 0)
    return axisDecayGradient(/*byValue=*/true);
  if (operand < countReads())
    return readKey(operand);
  operand -= countReads();
  if (operand < countWrites())
    return writeKey(operand);
  operand -= countWrites();
  if (operand < countWrites())
    return dWrites()[operand];
  return feedback(operand - countWrites());
}

Value AdjointChunk::next() {
  Value result = forward_.left(adjoint_);
  for (int64_t read = 0; read < countReads(); ++read)
    if (Value given = dRead(read))
      result = builder_.dot(entered(decay_, inputs_.reads[read], read), entered(value_decay_, given, read),
                            {.transpose_lhs = true, .init = result});
  return result;
}
