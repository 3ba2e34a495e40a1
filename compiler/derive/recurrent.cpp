// The recurrent algorithm: a block walks its sequence token by token with the states in tiles.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

/// One state of the normal form for one token, in the orientation in which it is stored.
namespace {
struct TokenState {
  TileBuilder &builder;
  int64_t key_axis;
  Type type;

  ArrayRef<int64_t> shape() const { return cast<RankedTensorType>(type).getShape(); }
  int64_t rank() const { return isa<RankedTensorType>(type) ? cast<RankedTensorType>(type).getRank() : 0; }

  /// A vector over the key axis (or, with `keys` false, over the other one; or a scalar), over the state.
  Value spread(Value value, bool keys) const {
    if (rankOf(value) == rank())
      return value;
    if (rankOf(value) == 0)
      return builder.fill(value, shape());
    return builder.along(value, keys ? key_axis : 1 - key_axis, shape());
  }
  /// r^T S
  Value read(Value state, Value key) const {
    Value product = builder.multiply(state, spread(key, true));
    return key_axis < 0 ? product : builder.sum(product, key_axis);
  }
  /// k w^T
  Value outer(Value key, Value value) const {
    return builder.multiply(spread(key, true), spread(value, false));
  }
};
} // namespace

/// S' and the reads and writes of one state, appended to `reads` as y_0, y_1, ..., w_0, w_1, ...
static Value advance(TileBuilder &builder, pattern::FormOp form, StepEmitter &step, Value state,
                     SmallVectorImpl<Value> &readsAndWrites) {
  TokenState of{builder, int64_t(form.getKeyAxis()), state.getType()};
  auto tile = [&](Value value) { return step.get(value).tile; };
  SmallVector<Value> reads(form.getReads().size());
  for (auto [j, key] : llvm::enumerate(form.getReads()))
    if (!form.getInclusive()[j])
      reads[j] = of.read(state, tile(key));

  SmallVector<Value> writes;
  for (Value value : form.getValues())
    writes.push_back(tile(value));
  for (auto [term, weight] : llvm::enumerate(form.getFeedback())) {
    Value &write = writes[form.getFeedbackIndex()[2 * term]];
    Value read = reads[form.getFeedbackIndex()[2 * term + 1]];
    Value factor = tile(weight);
    if (rankOf(read) == 1)
      factor = builder.fill(factor, cast<RankedTensorType>(read.getType()).getShape());
    write = builder.add(write, builder.multiply(factor, read));
  }

  Value next = state;
  if (Value decay = form.getDecay())
    next = builder.multiply(of.spread(builder.exp(tile(decay)), !form.getDecayByValue()), state);
  for (auto [key, write] : llvm::zip(form.getWrites(), writes))
    next = builder.add(next, of.outer(tile(key), write));
  for (auto [j, key] : llvm::enumerate(form.getReads()))
    if (form.getInclusive()[j])
      reads[j] = of.read(next, tile(key));
  llvm::append_range(readsAndWrites, reads);
  llvm::append_range(readsAndWrites, writes);
  return next;
}

/// Emits the step of a normal_scan; gives the next states.
static LogicalResult emitNormalStep(LoopKernel &kernel, pattern::NormalScanOp scan, ValueRange states,
                                    StepEmitter &step, SmallVectorImpl<Value> &next) {
  unsigned leading = scan.getParams().size() + scan.getTokens().size();
  SmallVector<Value> readsAndWrites;
  auto emitRegion = [&](Block &block) {
    for (auto [index, value] : llvm::enumerate(readsAndWrites))
      step.bind(block.getArgument(leading + index), {value, false});
    return step.emit(block);
  };
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    if (failed(emitRegion(scan.getStage(state))))
      return failure();
    next.push_back(advance(kernel.builder, scan.getForm(state), step, states[state], readsAndWrites));
  }
  return emitRegion(scan.getFinish());
}

FailureOr<OpPlan> linmu::deriveRecurrent(Operation *op, ProgramBuilder &program) {
  LoopView view = LoopView::of(op);
  LoopKernel kernel(program, view, "recurrent");
  TileBuilder &builder = kernel.builder;
  kernel.walkBatchAndHead(program);
  kernel.loadParams();
  SmallVector<Value> initial;
  for (unsigned state = 0; state < view.finals.size(); ++state)
    initial.push_back(kernel.initialState(state));

  auto loop = scf::ForOp::create(builder, builder.index(0), kernel.walk.tokens, builder.index(1), initial);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  TokenSpan position{.first = loop.getInductionVar()};

  auto normal = dyn_cast<pattern::NormalScanOp>(op);
  SmallVector<Block *> blocks;
  for (Region &region : op->getRegions())
    blocks.push_back(&region.front());
  StepEmitter step = kernel.startStep(position, blocks);
  SmallVector<Value> next;
  if (normal) {
    if (failed(emitNormalStep(kernel, normal, loop.getRegionIterArgs(), step, next)))
      return failure();
  } else {
    Block &block = *blocks.front();
    for (auto [argument, state] :
         llvm::zip(cast<pattern::ScanOp>(op).getStateArguments(), loop.getRegionIterArgs()))
      step.bind(argument, {state, false});
    if (failed(step.emit(block)))
      return failure();
    for (Value state : cast<pattern::YieldOp>(block.getTerminator()).getStates())
      next.push_back(step.get(state).tile);
  }
  builder.setLoc(op->getLoc());
  auto yield = cast<pattern::YieldOp>(blocks.back()->getTerminator());
  Value row = kernel.walk.rowsOf(builder, position);
  for (auto [value, output] : llvm::zip(yield.getOutputs(), view.outputs))
    kernel.storeOutput(output, step.get(value).tile, row);
  scf::YieldOp::create(builder, next);

  builder.setInsertionPointAfter(loop);
  for (auto [state, value] : llvm::enumerate(loop.getResults()))
    kernel.storeState(state, value);
  kernel.storeOwnTails();

  OpPlan plan{"recurrent", {kernel.launch}};
  kernel.appendTailLaunches(program, /*all=*/false, plan);
  return plan;
}
