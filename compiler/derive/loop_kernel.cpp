#include "compiler/derive/loop_kernel.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;

template <typename LoopOp> static LoopView viewOf(LoopOp op) {
  LoopView view;
  view.op = op;
  llvm::append_range(view.params, op.getParams());
  llvm::append_range(view.tokens, op.getTokens());
  llvm::append_range(view.tails, op.getTails());
  llvm::append_range(view.inits, op.getInits());
  llvm::append_range(view.outputs, op.getOutputs());
  llvm::append_range(view.finals, op.getFinals());
  llvm::append_range(view.final_tails, op.getFinalTails());
  llvm::append_range(view.tail_owners, op.getTailOwners());
  llvm::append_range(view.init_owners, op.getInitOwners());
  view.tail_masks.resize(view.tails.size());
  for (auto [index, mask] : llvm::enumerate(op.getTailMasks()))
    if (mask >= 0)
      view.tail_masks[index] = view.tokens[mask];
  view.order = op.getOrder();
  view.sequences = op.getSequences();
  view.reverse = op.getReverse();
  view.heads = op.getHeads();
  return view;
}

static LoopView viewOf(pattern::ScanAdjointOp op) {
  LoopView view;
  view.op = op;
  llvm::append_range(view.tokens, op.getTokens());
  for (unsigned state = 0; state < op.getNumStates(); ++state)
    if (Value init = op.getInitOf(state)) {
      view.inits.push_back(init);
      view.init_owners.push_back(state);
    }
  llvm::append_range(view.outputs, op.getGradients());
  llvm::append_range(view.finals, op.getInitGradients());
  view.order = op.getOrder();
  view.sequences = op.getSequences();
  view.reverse = op.getReverse();
  view.heads = op.getHeads();
  return view;
}

LoopView LoopView::of(Operation *op) {
  if (auto adjoint = dyn_cast<pattern::ScanAdjointOp>(op))
    return viewOf(adjoint);
  if (auto scan = dyn_cast<pattern::ScanOp>(op))
    return viewOf(scan);
  if (auto scan = dyn_cast<pattern::NormalScanOp>(op))
    return viewOf(scan);
  return viewOf(cast<pattern::MapOp>(op));
}

static int64_t positionOf(ArrayRef<int64_t> owners, int64_t wanted) {
  auto found = llvm::find(owners, wanted);
  return found == owners.end() ? -1 : found - owners.begin();
}
int64_t LoopView::tailOf(unsigned token) const { return positionOf(tail_owners, token); }
int64_t LoopView::initOf(unsigned state) const { return positionOf(init_owners, state); }

SmallVector<Value> LoopView::memory() const {
  SmallVector<Value> all;
  for (const auto *values : {&params, &tokens, &tails, &inits})
    llvm::append_range(all, *values);
  for (Value table : {order, sequences})
    if (table)
      all.push_back(table);
  for (const auto *values : {&outputs, &finals, &final_tails})
    llvm::copy_if(*values, std::back_inserter(all), [](Value value) { return !value.use_empty(); });
  return all;
}

static Value countTokens(TileBuilder &builder, Value memory) {
  return tensor::DimOp::create(builder, memory, builder.index(1));
}

LoopKernel::LoopKernel(ProgramBuilder &program, const LoopView &view, StringRef name)
    : view(view), builder(view.op->getLoc(), view.op->getContext()) {
  launch = program.startKernel(name, view.op->getLoc(), view.memory(), arguments_, builder);
  walk.heads = view.heads;
  walk.reverse = view.reverse;
  walk.order = view.order ? argument(view.order) : Value();
  if (view.sequences)
    return;
  auto output = llvm::find_if(view.outputs, [](Value value) { return !value.use_empty(); });
  walk.tokens = countTokens(builder, argument(output == view.outputs.end() ? view.tokens.front() : *output));
}

Value LoopKernel::addMemory(Value memory) { return ProgramBuilder::addMemory(launch, builder, memory); }

void LoopKernel::walkSequenceAndHead(ProgramBuilder &program, int64_t size, int64_t of) {
  int64_t dimension = 0;
  if (size) {
    columns.first = builder.multiply(builder.blockId(dimension++), builder.index(size));
    columns.live = builder.subtract(builder.index(of), columns.first);
    columns.size = size;
    launch.grid.push_back(program.constant((of + size - 1) / size));
  }
  walk.head = builder.blockId(dimension++);
  walk.enter(builder, builder.blockId(dimension), argument(view.sequences));
  launch.grid.append({program.constant(view.heads), program.sequencesOf(view.sequences)});
}

void LoopKernel::loadParams() {
  for (Value param : view.params)
    params_.push_back(walk.loadParam(builder, argument(param)));
}

StepEmitter LoopKernel::startStep(const TokenSpan &positions, ArrayRef<Block *> blocks) {
  SmallVector<int64_t> leading;
  if (positions.several())
    leading.push_back(positions.size);
  StepEmitter emitter(builder, leading,
                      [this, positions](pattern::LagOp lag, StepTile otherwise, bool sliced) {
                        return loadLag(lag, otherwise, positions, sliced);
                      });
  auto bindAll = [&](unsigned argument, StepTile value) {
    for (Block *block : blocks)
      emitter.bind(block->getArgument(argument), value);
  };
  for (auto [index, param] : llvm::enumerate(params_))
    bindAll(index, {param, false});
  Value rows;
  for (auto [index, token] : llvm::enumerate(view.tokens)) {
    unsigned position = params_.size() + index;
    bool used = llvm::any_of(blocks, [&](Block *block) {
      return llvm::any_of(block->getArgument(position).getUsers(),
                          [](Operation *user) { return !isa<pattern::LagOp>(user); }) ||
             // A lag's `otherwise` may be the token itself.
             llvm::any_of(block->getOps<pattern::LagOp>(), [&](pattern::LagOp lag) {
               return lag.getOtherwise() == block->getArgument(position);
             });
    });
    if (!used)
      continue;
    if (!rows)
      rows = walk.rowsOf(builder, positions);
    bindAll(position, {walk.load(builder, argument(token), rows), positions.several()});
  }
  if (columns) {
    if (!rows)
      rows = walk.rowsOf(builder, positions);
    emitter.sliceColumns(columns.size, [this, positions, rows](BlockArgument argument) {
      return loadSlice(argument, positions, rows);
    });
  }
  return emitter;
}

/// The slice's columns of a param or token.
StepTile LoopKernel::loadSlice(BlockArgument value, const TokenSpan &positions, Value rows) {
  unsigned number = value.getArgNumber(), params = view.params.size();
  if (number < params)
    return {walk.loadParam(builder, argument(view.params[number]), columns), false};
  return {walk.load(builder, argument(view.tokens[number - params]), rows, columns), positions.several()};
}

/// The token `distance` positions earlier: from the operand, or before position 0 from its tail, or what the
/// lag says otherwise.
StepTile LoopKernel::loadLag(pattern::LagOp lag, StepTile otherwise, const TokenSpan &positions,
                             bool sliced) {
  ColumnSlice part = sliced ? columns : ColumnSlice();
  unsigned token = cast<BlockArgument>(lag.getSource()).getArgNumber() - view.params.size();
  int64_t distance = lag.getDistance();
  int64_t tail = view.tailOf(token);
  Value operand = argument(view.tokens[token]);
  if (!positions.several())
    return loadLagOfToken(operand, tail < 0 ? Value() : argument(view.tails[tail]), distance, otherwise,
                          positions.first, part);

  Value value = walk.load(builder, operand, walk.earlierRowsOf(builder, positions, distance), part);
  if (positions.inside)
    return {value, true};
  Value missing = builder.subtract(builder.index(distance), positions.first); // rows before position 0
  Value before = isBefore(builder, missing, positions.size);
  if (rankOf(value) == 2)
    before = builder.along(before, 0, cast<RankedTensorType>(value.getType()).getShape());
  Value outside;
  if (tail >= 0) {
    Value memory = argument(view.tails[tail]);
    int64_t length = cast<RankedTensorType>(memory.getType()).getDimSize(1);
    Value first = builder.subtract(builder.index(length), missing);
    Value from = builder.subtract(builder.index(0), first); // the tail's own beginning
    outside = walk.ofStates().load(
        builder, memory, tileRange(builder, first, positions.size, {.from = from, .to = missing}), part);
  } else if (otherwise.tile) {
    outside = otherwise.tile;
    if (!otherwise.rows)
      outside = rankOf(outside) == 0
                    ? builder.fill(outside, {positions.size})
                    : builder.along(outside, 1, cast<RankedTensorType>(value.getType()).getShape());
  } else {
    outside = builder.splat(value.getType(), 0);
  }
  return {builder.select(before, outside, value), true};
}

/// The same at one position. Both loads are clamped, and the position decides.
StepTile LoopKernel::loadLagOfToken(Value operand, Value tail, int64_t distance, StepTile otherwise,
                                    Value position, const ColumnSlice &part) {
  Value zero = builder.index(0), earlier = builder.subtract(position, builder.index(distance));
  Value value = walk.load(builder, operand, walk.rowsOf(builder, {builder.maximum(earlier, zero)}), part);
  Value before = builder.compare(arith::CmpIPredicate::slt, earlier, zero);
  Value outside = otherwise.tile;
  if (tail) {
    int64_t length = cast<RankedTensorType>(tail.getType()).getDimSize(1);
    Value index = builder.add(earlier, builder.index(length));
    index = builder.minimum(builder.maximum(index, zero), builder.index(length - 1));
    outside = walk.ofStates().load(builder, tail, index, part);
  } else if (!outside) {
    outside = builder.splat(value.getType(), 0);
  }
  return {builder.select(before, outside, value), false};
}

Value LoopKernel::initialState(unsigned state) {
  if (int64_t init = view.initOf(state); init >= 0)
    return walk.load(builder, argument(view.inits[init]), {});
  return builder.splat(pattern::sliceType(cast<RankedTensorType>(view.finals[state].getType()), 2), 0);
}

void LoopKernel::storeState(unsigned state, Value value) {
  if (Value memory = argument(view.finals[state]))
    walk.store(builder, value, memory, {});
}

void LoopKernel::inFirstSlice(function_ref<void()> body) {
  if (!columns)
    return body();
  Value first = builder.compare(arith::CmpIPredicate::eq, columns.first, builder.index(0));
  auto branch = scf::IfOp::create(builder, first, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenYield());
  body();
}

void LoopKernel::storeOutput(Value output, Value value, Value rows, bool sliced) {
  Value memory = argument(output);
  if (!memory)
    return;
  if (sliced)
    walk.store(builder, value, memory, rows, columns);
  else
    inFirstSlice([&] { walk.store(builder, value, memory, rows); });
}

LogicalResult LoopKernel::finish(Block &block, StepEmitter &step, const TokenSpan &positions) {
  if (kept.empty()) {
    if (failed(step.emit(block)))
      return failure();
    builder.setLoc(view.op->getLoc());
    Value rows = walk.rowsOf(builder, positions);
    for (auto [value, output] :
         llvm::zip(cast<pattern::YieldOp>(block.getTerminator()).getOutputs(), view.outputs)) {
      StepTile tile = step.get(value);
      storeOutput(output, positions.several() ? step.rows(tile) : tile.tile, rows, tile.sliced);
    }
    return success();
  }
  Value rows = walk.ownRowsOf(builder, positions);
  for (const Kept &value : kept) {
    StepTile tile = step.get(block.getArgument(value.argument));
    auto store = [&](const ColumnSlice &part) {
      walk.store(builder, positions.several() ? step.rows(tile) : tile.tile, value.memory, rows, part);
    };
    tile.sliced ? store(columns) : inFirstSlice([&] { store({}); });
  }
  return success();
}

/// final[j] is the token at position N - L + j, zero where its mask (or null) is false, or, where that is
/// before position 0, tail[j + N]. Oldest first, so that the final tail may lie in the tail's memory.
static void storeTail(TileBuilder &builder, const Walk &walk, Value token, Value mask, Value tail,
                      Value final) {
  int64_t length = cast<RankedTensorType>(tail.getType()).getDimSize(1);
  Walk ofTails = walk.ofStates();
  for (int64_t j = 0; j < length; ++j) {
    Value position = builder.subtract(builder.add(walk.tokens, builder.index(j)), builder.index(length));
    Value inside = builder.compare(arith::CmpIPredicate::sge, position, builder.index(0));
    auto choice = scf::IfOp::create(builder, inside, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    auto copy = [&](const Walk &from, Value memory, Value row, Value live) {
      Value value = loadTile(builder, memory, from.indices(builder, memory, row));
      if (live)
        value = builder.select(live, value, builder.splat(value.getType(), 0));
      storeTile(builder, value, final, ofTails.indices(builder, final, builder.index(j)));
    };
    builder.setInsertionPoint(choice.thenYield());
    Value row = walk.rowsOf(builder, {position});
    copy(walk, token, row, mask ? loadTile(builder, mask, walk.indices(builder, mask, row)) : Value());
    builder.setInsertionPoint(choice.elseYield());
    copy(ofTails, tail, builder.add(position, builder.index(length)), {});
  }
}

static int64_t tailHeads(Value tail) {
  auto type = cast<RankedTensorType>(tail.getType());
  return type.getRank() > 2 ? type.getDimSize(2) : 1;
}

void LoopKernel::storeOwnTails() {
  for (auto [index, tail] : llvm::enumerate(view.tails))
    if (tailHeads(tail) == view.heads && argument(view.final_tails[index]))
      storeTail(builder, walk, argument(view.tokens[view.tail_owners[index]]),
                argument(view.tail_masks[index]), argument(tail), argument(view.final_tails[index]));
}

void LoopKernel::appendTailLaunches(ProgramBuilder &program, bool all, OpPlan &plan) {
  for (auto [index, tail] : llvm::enumerate(view.tails)) {
    if (view.final_tails[index].use_empty() || (!all && tailHeads(tail) == view.heads))
      continue;
    Value token = view.tokens[view.tail_owners[index]];
    SmallVector<Value> memory{token, tail, view.final_tails[index]};
    for (Value optional : {view.tail_masks[index], view.order, view.sequences})
      if (optional)
        memory.push_back(optional);
    IRMapping arguments;
    TileBuilder tailBuilder(view.op->getLoc(), view.op->getContext());
    LaunchPlan tailLaunch = program.startKernel("tail", view.op->getLoc(), memory, arguments, tailBuilder);
    Walk tailWalk;
    tailWalk.heads = tailHeads(tail);
    tailWalk.reverse = view.reverse;
    tailWalk.order = view.order ? arguments.lookup(view.order) : Value();
    if (!view.sequences)
      tailWalk.tokens = countTokens(tailBuilder, arguments.lookup(token));
    tailWalk.head = tailBuilder.blockId(0);
    tailWalk.enter(tailBuilder, tailBuilder.blockId(1), arguments.lookupOrNull(view.sequences));
    tailLaunch.grid = {program.constant(tailWalk.heads), program.sequencesOf(view.sequences)};
    storeTail(tailBuilder, tailWalk, arguments.lookup(token), arguments.lookupOrNull(view.tail_masks[index]),
              arguments.lookup(tail), arguments.lookup(view.final_tails[index]));
    plan.launches.push_back(std::move(tailLaunch));
  }
}
