// The chunked algorithm: a block walks one sequence of one head in chunks of C tokens, with every state in a
// tile.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
#include "compiler/derive/state_chunk.h"
#include "compiler/derive/stored_state.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

Operation *linmu::findSequentialOp(Operation *loop) {
  LoopView view = LoopView::of(loop);
  for (Region &region : loop->getRegions()) {
    DenseSet<Value> varying;
    for (BlockArgument argument : region.front().getArguments().drop_front(view.params.size()))
      varying.insert(argument);
    if (Operation *op = findMatrixPerToken(region.front(), varying))
      return op;
  }
  return nullptr;
}

int64_t linmu::chunkOf(pattern::NormalScanOp scan, const Schedule &schedule) {
  SmallVector<StateCost> costs;
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    pattern::FormOp form = scan.getForm(state);
    StoredState stored(scan, state);
    costs.push_back({stored.key_size, stored.value_size, int64_t(form.getReads().size()),
                     int64_t(form.getWrites().size())});
  }
  return chooseChunk(costs, schedule);
}

namespace {
/// The stages of a normal_scan on the tokens of one chunk: binds to the blocks that follow what each state
/// reads and writes.
class ChunkStages {
public:
  ChunkStages(pattern::NormalScanOp scan, const LoopView &view, TileBuilder &builder, int64_t chunk)
      : scan_(scan), view_(view), builder_(builder), chunk_(chunk),
        bound_(view.params.size() + view.tokens.size()) {
    for (Region &region : scan->getRegions())
      blocks.push_back(&region.front());
  }

  /// The states at the exit; empty after an error.
  FailureOr<SmallVector<Value>> run(StepEmitter &step, ValueRange states, Value live);

  SmallVector<Block *> blocks; ///< the stages, then `finish`

private:
  void bindResult(StepEmitter &step, ArrayRef<Block *> later, function_ref<Value()> result);

  pattern::NormalScanOp scan_;
  const LoopView &view_;
  TileBuilder &builder_;
  int64_t chunk_;
  unsigned bound_; ///< arguments that have a value
};
} // namespace

/// Binds the next argument of `later`, where one of them uses it.
void ChunkStages::bindResult(StepEmitter &step, ArrayRef<Block *> later, function_ref<Value()> result) {
  unsigned argument = bound_++;
  if (llvm::all_of(later, [&](Block *block) { return block->getArgument(argument).use_empty(); }))
    return;
  Value rows = result();
  for (Block *block : later) {
    // A value without axis is [C, 1] in the algebra and [C] in the step.
    bool isScalar = isa<FloatType>(block->getArgument(argument).getType());
    step.bind(block->getArgument(argument), {isScalar ? builder_.sum(rows, 1) : rows, true});
  }
}

FailureOr<SmallVector<Value>> ChunkStages::run(StepEmitter &step, ValueRange states, Value live) {
  SmallVector<Value> next;
  unsigned firstToken = view_.params.size();
  for (unsigned state = 0; state < scan_.getNumStates(); ++state) {
    if (failed(step.emit(scan_.getStage(state))))
      return failure();
    pattern::FormOp form = scan_.getForm(state);
    builder_.setLoc(form.getLoc());
    StateChunk part(
        builder_, form,
        ChunkInputs::of(builder_, form, step, chunk_, live, firstToken, firstToken + view_.tokens.size()));
    ArrayRef<Block *> later = ArrayRef(blocks).drop_front(state + 1);
    for (int64_t read = 0; read < int64_t(form.getReads().size()); ++read)
      bindResult(step, later, [&] { return part.read(read, states[state]); });
    for (int64_t write = 0; write < int64_t(form.getWrites().size()); ++write)
      bindResult(step, later, [&] { return part.writes(states[state])[write]; });
    next.push_back(part.next(states[state]));
  }
  return next;
}

FailureOr<OpPlan> linmu::deriveChunked(pattern::NormalScanOp scan, int64_t chunk, ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  LoopKernel kernel(program, view, "chunked");
  TileBuilder &builder = kernel.builder;
  kernel.walkBatchAndHead(program);
  kernel.loadParams();
  SmallVector<Value> initial;
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    initial.push_back(StoredState(scan, state).toMatrix(builder, kernel.initialState(state)));

  auto loop =
      scf::ForOp::create(builder, builder.index(0), kernel.walk.tokens, builder.index(chunk), initial);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);

  TokenSpan tokens{loop.getInductionVar(), chunk,
                   builder.subtract(kernel.walk.tokens, loop.getInductionVar())};
  Value live = builder.before(tokens.live, chunk);
  ChunkStages stages(scan, view, builder, chunk);
  StepEmitter step = kernel.startStep(tokens, stages.blocks);
  FailureOr<SmallVector<Value>> next = stages.run(step, loop.getRegionIterArgs(), live);
  if (failed(next) || failed(step.emit(scan.getFinish())))
    return failure();
  builder.setLoc(scan.getLoc());
  auto yield = cast<pattern::YieldOp>(scan.getFinish().getTerminator());
  Value rows = kernel.walk.rowsOf(builder, tokens);
  for (auto [value, output] : llvm::zip(yield.getOutputs(), view.outputs))
    kernel.storeOutput(output, step.rows(value), rows);
  scf::YieldOp::create(builder, *next);

  builder.setInsertionPointAfter(loop);
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    kernel.storeState(state, StoredState(scan, state).fromMatrix(builder, loop.getResult(state)));
  kernel.storeOwnTails();
  OpPlan plan{"chunked(chunk=" + std::to_string(chunk) + ")", {kernel.launch}};
  kernel.appendTailLaunches(program, /*all=*/false, plan);
  return plan;
}
