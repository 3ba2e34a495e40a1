#include "compiler/derive/state_chunk.h"
#include "compiler/derive/resets.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

/// Zero in rows past the end.
static Value whereLive(TileBuilder &builder, Value live, Value rows) {
  if (rankOf(rows) == 2)
    live = builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape());
  return builder.select(live, rows, builder.splat(rows.getType(), 0));
}

static int64_t columnsOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getDimSize(1); }

ChunkInputs ChunkInputs::of(TileBuilder &builder, pattern::FormOp form, StepEmitter &step, int64_t chunk,
                            Value live, unsigned firstToken, unsigned endOfTokens) {
  // [C] as [C, 1]; matrices as they are.
  auto matrix = [&](Value rows) { return rankOf(rows) == 1 ? builder.along(rows, 0, {chunk, 1}) : rows; };
  auto masked = [&](Value value, Value rows) {
    auto argument = dyn_cast<BlockArgument>(value);
    bool isToken = argument && argument.getArgNumber() >= firstToken && argument.getArgNumber() < endOfTokens;
    return isToken ? rows : whereLive(builder, live, rows);
  };
  ChunkInputs inputs;
  inputs.live = live;
  if (Value logarithm = form.getDecay())
    inputs.logarithm = masked(logarithm, step.rows(logarithm));
  if (Value logarithm = form.getValueDecay())
    inputs.value_logarithm = masked(logarithm, step.sliceRows(logarithm));
  // Rows past the end keep the sign.
  auto positive = [&](Value rows) {
    Value isLive =
        rankOf(rows) == 2 ? builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape()) : live;
    return builder.select(isLive, rows, builder.splat(rows.getType(), 1));
  };
  if (Value sign = form.getSign())
    inputs.sign = positive(step.rows(sign));
  if (Value sign = form.getValueSign())
    inputs.value_sign = positive(step.sliceRows(sign));
  for (Value key : form.getReads())
    inputs.reads.push_back(matrix(step.rows(key)));
  for (Value key : form.getWrites())
    inputs.keys.push_back(masked(key, matrix(step.rows(key))));
  for (Value value : form.getValues())
    inputs.values.push_back(masked(value, matrix(step.sliceRows(value))));
  for (Value weight : form.getFeedback())
    inputs.feedback.push_back(step.rows(weight));
  return inputs;
}

StateChunk::StateChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs)
    : builder_(builder), form_(form), inputs_(std::move(inputs)),
      decay_(builder, inputs_.logarithm, inputs_.sign),
      value_decay_(builder, inputs_.value_logarithm, inputs_.value_sign) {
  chunk_ = cast<RankedTensorType>(inputs_.live.getType()).getDimSize(0);
  ArrayRef<int64_t> index = form.getFeedbackIndex();
  for (int64_t write = 0; write < int64_t(inputs_.keys.size()); ++write)
    for (size_t term = 0; term < inputs_.feedback.size(); ++term)
      if (index[2 * term] == write && !llvm::is_contained(fed_back_, write))
        fed_back_.push_back(write);
}

Value StateChunk::scores(int64_t read, int64_t write) {
  Value &known = scores_[{read, write}];
  if (known)
    return known;
  SmallVector<int64_t> shape{chunk_, chunk_};
  if (decay_.isVector())
    return known = tile::DecayScoresOp::create(builder_, builder_.f32Tile(shape), inputs_.reads[read],
                                               inputs_.keys[write], decay_.factors(), !inclusive(read));
  Value product = builder_.dot(inputs_.reads[read], inputs_.keys[write],
                               {.transpose_rhs = true, .triangle = Triangle::result_lower});
  if (decay_.isScalar())
    product = builder_.multiply(product, decay_.betweenTokens(builder_, inclusive(read)));
  Value visible = builder_.compare(inclusive(read) ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt,
                                   builder_.coordinate(shape, 0), builder_.coordinate(shape, 1));
  return known = builder_.select(visible, product, builder_.splat(product.getType(), 0));
}

Value StateChunk::entry(int64_t read, Value state) {
  Value &known = entries_[read];
  if (!known)
    known = fromEntry(read, state);
  return known;
}

Value StateChunk::fromEntry(int64_t read, Value state) {
  Value keys = inputs_.reads[read];
  if (decay_.isVector())
    keys = builder_.multiply(keys, decay_.fromEntry(builder_, inclusive(read)));
  Value product = builder_.dot(keys, state, {});
  if (decay_.isScalar())
    product = builder_.multiply(product,
                                alongRows(decay_.fromEntry(builder_, inclusive(read)), columnsOf(product)));
  return value_decay_ ? builder_.multiply(product, value_decay_.fromEntry(builder_, inclusive(read)))
                      : product;
}

Value StateChunk::system(int64_t write, int64_t other) {
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  Value total;
  for (size_t term = 0; term < inputs_.feedback.size(); ++term) {
    if (index[2 * term] != write)
      continue;
    Value part =
        builder_.multiply(alongRows(inputs_.feedback[term], chunk_), scores(index[2 * term + 1], other));
    total = total ? builder_.add(total, part) : part;
  }
  return whereLive(builder_, inputs_.live, total);
}

/// `value` (or nothing) and what a write takes back of the state at the entry; rows past the end take
/// nothing.
Value StateChunk::addFeedback(Value value, int64_t write, function_ref<Value(int64_t)> entering) {
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  for (size_t term = 0; term < inputs_.feedback.size(); ++term) {
    if (index[2 * term] != write)
      continue;
    Value read = entering(index[2 * term + 1]);
    Value part = builder_.multiply(alongRows(inputs_.feedback[term], columnsOf(read)), read);
    value = value ? builder_.add(value, part) : part;
  }
  return whereLive(builder_, inputs_.live, value);
}

/// Of a write with feedback, what does not depend on other writes with feedback.
Value StateChunk::knownPart(int64_t write, Value state) {
  Value value = addFeedback(inputs_.values[write], write, [&](int64_t read) { return entry(read, state); });
  for (int64_t other = 0; other < int64_t(inputs_.keys.size()); ++other)
    if (!llvm::is_contained(fed_back_, other))
      value = builder_.dot(system(write, other), writes_[other],
                           {.triangle = Triangle::lhs_lower, .init = value});
  return value;
}

/// Writes with feedback are the solutions of a triangular system.
ArrayRef<Value> StateChunk::writes(Value state) {
  if (!writes_.empty())
    return writes_;
  writes_ = inputs_.values;
  if (fed_back_.empty())
    return writes_;
  SmallVector<Value> values;
  for (int64_t write : fed_back_)
    values.push_back(knownPart(write, state));
  for (auto [write, solution] : llvm::zip(fed_back_, solve(values)))
    writes_[write] = solution;
  return writes_;
}

ArrayRef<Value> StateChunk::systems() {
  if (systems_.empty())
    for (int64_t write : fed_back_)
      for (int64_t other : fed_back_)
        systems_.push_back(system(write, other));
  return systems_;
}

/// The writes with feedback, from what does not depend on them.
SmallVector<Value> StateChunk::solve(ValueRange values) {
  if (inverses_.empty()) {
    auto solve = tile::SolveOp::create(builder_, values.getTypes(), systems(), values);
    return SmallVector<Value>(solve.getSolutions());
  }
  SmallVector<Value> solutions;
  for (size_t write = 0; write < values.size(); ++write) {
    Value sum;
    // lhs_lower keeps later values, whatever they hold, out of earlier rows.
    for (size_t other = 0; other < values.size(); ++other)
      sum = builder_.dot(inverses_[write * values.size() + other], values[other],
                         {.triangle = Triangle::lhs_lower, .init = sum});
    solutions.push_back(sum);
  }
  return solutions;
}

/// Whether fromEntry() of exclusive reads is used.
static bool hasExclusiveReads(pattern::FormOp form) { return llvm::is_contained(form.getInclusive(), false); }

SmallVector<RankedTensorType> StateChunk::preparedTypes(pattern::FormOp form, ArrayRef<int64_t> reads,
                                                        int64_t chunk) {
  llvm::SmallDenseSet<int64_t> fedBack;
  for (size_t term = 0; term < form.getFeedback().size(); ++term)
    fedBack.insert(form.getFeedbackIndex()[2 * term]);
  auto f32 = Float32Type::get(form.getContext());
  SmallVector<RankedTensorType> types(fedBack.size() * fedBack.size() +
                                          reads.size() * form.getWrites().size(),
                                      RankedTensorType::get({chunk, chunk}, f32));
  if (Value decay = form.getDecay(); decay && isa<FloatType>(decay.getType()))
    types.append(hasExclusiveReads(form) ? 3 : 2, RankedTensorType::get({chunk}, f32));
  return types;
}

SmallVector<Value> StateChunk::prepare(ArrayRef<int64_t> reads) {
  SmallVector<Type> types(systems().size(), builder_.f32Tile({chunk_, chunk_}));
  auto inverse = tile::InverseOp::create(builder_, types, systems());
  SmallVector<Value> tiles(inverse.getInverses());
  for (int64_t read : reads)
    for (int64_t write = 0; write < int64_t(inputs_.keys.size()); ++write)
      tiles.push_back(scores(read, write));
  if (decay_.isScalar()) {
    tiles.append({decay_.fromEntry(builder_, /*inclusive=*/true), decay_.toExit(builder_)});
    if (hasExclusiveReads(form_))
      tiles.push_back(decay_.fromEntry(builder_, /*inclusive=*/false));
  }
  return tiles;
}

void StateChunk::usePrepared(ArrayRef<int64_t> reads, ValueRange tiles) {
  auto take = [&] {
    Value tile = tiles.front();
    tiles = tiles.drop_front();
    return tile;
  };
  for (size_t block = 0; block < fed_back_.size() * fed_back_.size(); ++block)
    inverses_.push_back(take());
  for (int64_t read : reads)
    for (int64_t write = 0; write < int64_t(inputs_.keys.size()); ++write)
      scores_[{read, write}] = take();
  if (!decay_.isScalar())
    return;
  ChunkDecay::Prepared prepared{.from_entry = take(), .from_entry_exclusive = {}, .to_exit = take()};
  if (hasExclusiveReads(form_))
    prepared.from_entry_exclusive = take();
  decay_.usePrepared(prepared);
}

/// The solutions for the columns of the identity.
SmallVector<Value> StateChunk::inverse() {
  if (!inverses_.empty())
    return inverses_;
  size_t count = fed_back_.size();
  SmallVector<int64_t> shape{chunk_, chunk_};
  Type type = builder_.f32Tile(shape);
  Value zero = builder_.splat(type, 0);
  Value diagonal = builder_.compare(arith::CmpIPredicate::eq, builder_.coordinate(shape, 0),
                                    builder_.coordinate(shape, 1));
  Value identity = builder_.select(diagonal, builder_.splat(type, 1), zero);
  SmallVector<Value> blocks(count * count);
  for (size_t column = 0; column < count; ++column) {
    SmallVector<Value> values(count, zero);
    values[column] = identity;
    for (auto [row, solution] : llvm::enumerate(solve(values)))
      blocks[row * count + column] = solution;
  }
  return blocks;
}

/// What a write gives to a read inside the chunk, added to `sum`.
Value StateChunk::readWrite(int64_t read, int64_t write, Value sum) {
  Value weights = scores(read, write);
  if (!value_decay_)
    return builder_.dot(weights, writes_[write], {.triangle = Triangle::lhs_lower, .init = sum});
  Value inside = tile::DecayValuesOp::create(builder_, sum.getType(), weights, writes_[write],
                                             value_decay_.factors(), !inclusive(read));
  return builder_.add(sum, inside);
}

void StateChunk::enter(ArrayRef<int64_t> reads, Value state) {
  ArrayRef<int64_t> index = form_.getFeedbackIndex();
  for (size_t term = 0; term < inputs_.feedback.size(); ++term)
    entry(index[2 * term + 1], state);
  for (int64_t read : reads)
    entry(read, state);
}

Value StateChunk::read(int64_t read, Value state) {
  writes(state);
  // Scores before what is summed: a target that holds tiles in registers has let them go by then.
  for (int64_t write = 0; write < int64_t(inputs_.keys.size()); ++write)
    scores(read, write);
  Value sum = entry(read, state);
  for (int64_t write = 0; write < int64_t(inputs_.keys.size()); ++write)
    sum = readWrite(read, write, sum);
  return sum;
}

/// The exit of a state that these writes, by their keys' numbers, are put into.
Value StateChunk::exitOf(Value state, ArrayRef<std::pair<int64_t, Value>> writes) {
  Value result = left(state);
  Value weight = decay_ ? decay_.toExit(builder_) : Value();
  Value valueWeight = value_decay_ ? value_decay_.toExit(builder_) : Value();
  for (auto [number, write] : writes) {
    Value key = inputs_.keys[number], value = write;
    // What belongs to a token goes with the side that is smaller.
    Value &weighted = decay_.isScalar() && columnsOf(value) < columnsOf(key) ? value : key;
    if (weight)
      weighted =
          builder_.multiply(weighted, decay_.isScalar() ? alongRows(weight, columnsOf(weighted)) : weight);
    if (valueWeight)
      value = builder_.multiply(value, valueWeight);
    result = builder_.dot(key, value, {.transpose_lhs = true, .init = result});
  }
  return result;
}

Value StateChunk::next(Value state) {
  SmallVector<std::pair<int64_t, Value>> all;
  for (auto [number, write] : llvm::enumerate(writes(state)))
    all.push_back({number, write});
  return exitOf(state, all);
}

Value StateChunk::nextWithoutValues(Value matrix) {
  SmallVector<std::pair<int64_t, Value>> all;
  if (!fed_back_.empty()) {
    SmallVector<Value> values;
    for (int64_t write : fed_back_)
      values.push_back(addFeedback({}, write, [&](int64_t read) { return fromEntry(read, matrix); }));
    for (auto [write, solution] : llvm::zip(fed_back_, solve(values)))
      all.push_back({write, solution});
  }
  return exitOf(matrix, all);
}

Value StateChunk::leastOfAll(const ChunkDecay &decay) {
  Value least = decay.leastLogarithm(builder_);
  return rankOf(least) > 0 ? builder_.reduce(tile::ReduceKind::min, least, 0) : least;
}

Value StateChunk::remembersTooMuch(ValueRange entering) {
  if (!mayReset(form_))
    return {};
  Value least;
  for (const ChunkDecay *decay : {&decay_, &value_decay_})
    if (*decay)
      least = least ? builder_.minimum(least, leastOfAll(*decay)) : leastOfAll(*decay);
  Value reset = isReset(builder_, least);
  auto branch = scf::IfOp::create(builder_, TypeRange{builder_.getI1Type()}, reset, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> tiles(entering);
  for (Value logarithm : {inputs_.logarithm, inputs_.value_logarithm})
    if (logarithm)
      tiles.push_back(logarithm);
  llvm::append_range(tiles, inputs_.keys);
  llvm::append_range(tiles, writes_);
  scf::YieldOp::create(builder_, anyNotFinite(builder_, tiles));
  builder_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder_, builder_.splat(builder_.getI1Type(), 0));
  return branch.getResult(0);
}
