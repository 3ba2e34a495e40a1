#include "compiler/derive/state_chunk.h"
#include "compiler/derive/resets.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

StateChunk::StateChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs)
    : builder_(builder), form_(form), paths_(builder, form, std::move(inputs)),
      system_(builder, form, paths_) {}

Value StateChunk::entry(int64_t read, ValueRange states) {
  Value &known = entries_[read];
  if (!known)
    known = paths_.fromEntry(read, states);
  return known;
}

/// Of a write with feedback, what does not depend on other writes with feedback.
Value StateChunk::knownPart(int64_t write, ValueRange states) {
  Value value = system_.addFeedback(paths_.inputs().values[write], write,
                                    [&](int64_t read) { return entry(read, states); });
  for (int64_t other = 0; other < int64_t(form_.getWrites().size()); ++other)
    if (!system_.isFedBack(other))
      value = builder_.dot(system_.block(write, other), writes_[other],
                           {.triangle = Triangle::lhs_lower, .init = value});
  return value;
}

/// Writes with feedback are the solutions of a triangular system.
ArrayRef<Value> StateChunk::writes(ValueRange states) {
  if (!writes_.empty())
    return writes_;
  writes_ = paths_.inputs().values;
  if (system_.fedBack().empty())
    return writes_;
  SmallVector<Value> values;
  for (int64_t write : system_.fedBack())
    values.push_back(knownPart(write, states));
  for (auto [write, solution] : llvm::zip(system_.fedBack(), system_.solve(values)))
    writes_[write] = solution;
  return writes_;
}

void StateChunk::enter(ArrayRef<int64_t> reads, ValueRange states) {
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  for (size_t term = 0; term < form_.getFeedback().size(); ++term)
    entry(index[2 * term + 1], states);
  for (int64_t read : reads)
    entry(read, states);
}

Value StateChunk::read(int64_t read, ValueRange states) {
  ArrayRef<Value> written = writes(states);
  // Scores before what is summed: a target that holds tiles in registers has let them go by then.
  for (int64_t write = 0; write < int64_t(form_.getWrites().size()); ++write)
    if (paths_.sees(read, write))
      paths_.scores(read, write);
  Value sum = entry(read, states);
  for (int64_t write = 0; write < int64_t(form_.getWrites().size()); ++write)
    sum = paths_.fromWrite(read, write, written[write], sum);
  return sum;
}

SmallVector<Value> StateChunk::next(ValueRange states) {
  SmallVector<std::pair<int64_t, Value>> all;
  for (auto [number, write] : llvm::enumerate(writes(states)))
    all.push_back({number, write});
  return paths_.exit(states, all);
}

SmallVector<Value> StateChunk::nextWithoutValues(ValueRange matrices) {
  SmallVector<std::pair<int64_t, Value>> all;
  if (!system_.fedBack().empty()) {
    SmallVector<Value> values;
    for (int64_t write : system_.fedBack())
      values.push_back(
          system_.addFeedback({}, write, [&](int64_t read) { return paths_.fromEntry(read, matrices); }));
    for (auto [write, solution] : llvm::zip(system_.fedBack(), system_.solve(values)))
      all.push_back({write, solution});
  }
  return paths_.exit(matrices, all);
}

static Value leastOfAll(TileBuilder &builder, const ChunkDecay &decay) {
  Value least = decay.leastLogarithm(builder);
  return rankOf(least) > 0 ? builder.reduce(tile::ReduceKind::min, least, 0) : least;
}

/// i1: whether something resets the state, or leaves a coupled one out, in the chunk.
Value StateChunk::resets() {
  if (paths_.coupling()) {
    Value any;
    for (Value factor : paths_.inputs().coupling) {
      Type type = factor.getType();
      Value zero = builder_.splat(type, 0), one = builder_.splat(type, 1);
      Value none = arith::CmpFOp::create(builder_, arith::CmpFPredicate::OEQ, factor, zero);
      Value found = builder_.select(none, builder_.select(paths_.inputs().live, one, zero), zero);
      any = any ? builder_.maximum(any, found) : found;
    }
    any = builder_.reduce(tile::ReduceKind::max, any, 0);
    return arith::CmpFOp::create(builder_, arith::CmpFPredicate::OGT, any, builder_.splat(any.getType(), 0));
  }
  Value least;
  for (const ChunkDecay *decay : {&paths_.decay(), &paths_.valueDecay()})
    if (*decay)
      least = least ? builder_.minimum(least, leastOfAll(builder_, *decay)) : leastOfAll(builder_, *decay);
  return isReset(builder_, least);
}

Value StateChunk::remembersTooMuch(ValueRange entering) {
  if (!mayReset(form_))
    return {};
  Value reset = resets();
  auto branch = scf::IfOp::create(builder_, TypeRange{builder_.getI1Type()}, reset, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  const ChunkInputs &inputs = paths_.inputs();
  SmallVector<Value> tiles(entering);
  for (Value logarithm : {inputs.logarithm, inputs.value_logarithm})
    if (logarithm)
      tiles.push_back(logarithm);
  llvm::append_range(tiles, inputs.coupling);
  llvm::append_range(tiles, inputs.keys);
  llvm::append_range(tiles, writes_);
  scf::YieldOp::create(builder_, anyNotFinite(builder_, tiles));
  builder_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder_, builder_.splat(builder_.getI1Type(), 0));
  return branch.getResult(0);
}
