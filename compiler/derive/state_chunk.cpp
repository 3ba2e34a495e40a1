#include "compiler/derive/state_chunk.h"
#include "compiler/derive/resets.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

StateChunk::StateChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs)
    : builder_(builder), form_(form), paths_(builder, form, std::move(inputs)),
      system_(builder, form, paths_) {}

Value StateChunk::entry(int64_t read, Value state) {
  Value &known = entries_[read];
  if (!known)
    known = paths_.fromEntry(read, state);
  return known;
}

/// Of a write with feedback, what does not depend on other writes with feedback.
Value StateChunk::knownPart(int64_t write, Value state) {
  Value value = system_.addFeedback(paths_.inputs().values[write], write,
                                    [&](int64_t read) { return entry(read, state); });
  for (int64_t other = 0; other < int64_t(form_.getWrites().size()); ++other)
    if (!system_.isFedBack(other))
      value = builder_.dot(system_.block(write, other), writes_[other],
                           {.triangle = Triangle::lhs_lower, .init = value});
  return value;
}

/// Writes with feedback are the solutions of a triangular system.
ArrayRef<Value> StateChunk::writes(Value state) {
  if (!writes_.empty())
    return writes_;
  writes_ = paths_.inputs().values;
  if (system_.fedBack().empty())
    return writes_;
  SmallVector<Value> values;
  for (int64_t write : system_.fedBack())
    values.push_back(knownPart(write, state));
  for (auto [write, solution] : llvm::zip(system_.fedBack(), system_.solve(values)))
    writes_[write] = solution;
  return writes_;
}

void StateChunk::enter(ArrayRef<int64_t> reads, Value state) {
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  for (size_t term = 0; term < form_.getFeedback().size(); ++term)
    entry(index[2 * term + 1], state);
  for (int64_t read : reads)
    entry(read, state);
}

Value StateChunk::read(int64_t read, Value state) {
  ArrayRef<Value> written = writes(state);
  // Scores before what is summed: a target that holds tiles in registers has let them go by then.
  for (int64_t write = 0; write < int64_t(form_.getWrites().size()); ++write)
    paths_.scores(read, write);
  Value sum = entry(read, state);
  for (int64_t write = 0; write < int64_t(form_.getWrites().size()); ++write)
    sum = paths_.fromWrite(read, write, written[write], sum);
  return sum;
}

Value StateChunk::next(Value state) {
  SmallVector<std::pair<int64_t, Value>> all;
  for (auto [number, write] : llvm::enumerate(writes(state)))
    all.push_back({number, write});
  return paths_.exit(state, all);
}

Value StateChunk::nextWithoutValues(Value matrix) {
  SmallVector<std::pair<int64_t, Value>> all;
  if (!system_.fedBack().empty()) {
    SmallVector<Value> values;
    for (int64_t write : system_.fedBack())
      values.push_back(
          system_.addFeedback({}, write, [&](int64_t read) { return paths_.fromEntry(read, matrix); }));
    for (auto [write, solution] : llvm::zip(system_.fedBack(), system_.solve(values)))
      all.push_back({write, solution});
  }
  return paths_.exit(matrix, all);
}

static Value leastOfAll(TileBuilder &builder, const ChunkDecay &decay) {
  Value least = decay.leastLogarithm(builder);
  return rankOf(least) > 0 ? builder.reduce(tile::ReduceKind::min, least, 0) : least;
}

Value StateChunk::remembersTooMuch(ValueRange entering) {
  if (!mayReset(form_))
    return {};
  Value least;
  for (const ChunkDecay *decay : {&paths_.decay(), &paths_.valueDecay()})
    if (*decay)
      least = least ? builder_.minimum(least, leastOfAll(builder_, *decay)) : leastOfAll(builder_, *decay);
  Value reset = isReset(builder_, least);
  auto branch = scf::IfOp::create(builder_, TypeRange{builder_.getI1Type()}, reset, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  const ChunkInputs &inputs = paths_.inputs();
  SmallVector<Value> tiles(entering);
  for (Value logarithm : {inputs.logarithm, inputs.value_logarithm})
    if (logarithm)
      tiles.push_back(logarithm);
  llvm::append_range(tiles, inputs.keys);
  llvm::append_range(tiles, writes_);
  scf::YieldOp::create(builder_, anyNotFinite(builder_, tiles));
  builder_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder_, builder_.splat(builder_.getI1Type(), 0));
  return branch.getResult(0);
}
