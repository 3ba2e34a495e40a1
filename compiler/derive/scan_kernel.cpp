#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/resets.h"
#include "compiler/derive/token_walk.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

ScanKernel::ScanKernel(pattern::NormalScanOp scan, const LoopView &view, ProgramBuilder &program,
                       StringRef name, int64_t chunk)
    : scan(scan), kernel(program, view, name), chunk_(chunk) {
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    stored.emplace_back(scan, state);
    may_reset_ |= mayReset(scan.getForm(state));
  }
}

SmallVector<Value> ScanKernel::initialStates() {
  SmallVector<Value> states;
  for (auto [index, state] : llvm::enumerate(stored)) {
    int64_t init = kernel.view.initOf(index);
    Value memory = init < 0 ? Value() : kernel.argument(kernel.view.inits[init]);
    states.push_back(state.load(kernel.builder, kernel.walk, memory, kernel.columns));
  }
  return states;
}

void ScanKernel::storeFinalStates(ValueRange states) {
  for (auto [state, value, final] : llvm::zip(stored, states, kernel.view.finals))
    if (Value memory = kernel.argument(final)) {
      auto store = [&, &state = state, value = value] {
        state.store(kernel.builder, kernel.walk, value, memory, kernel.columns);
      };
      state.hasColumns() ? store() : kernel.inFirstSlice(store);
    }
}

FailureOr<SmallVector<Value>> ScanKernel::chunk(Value first, ValueRange states, ChunkStages::Part part) {
  TileBuilder &builder = kernel.builder;
  TokenSpan tokens{first, chunk_, builder.subtract(kernel.walk.tokens, first)};
  if (exactly_)
    return walkChunkExactly(tokens, states);
  Value live = builder.before(tokens.live, chunk_);
  ChunkStages stages(scan, kernel.view, builder, chunk_);
  StepEmitter step = kernel.startStep(tokens, stages.blocks);
  FailureOr<SmallVector<Value>> next = stages.run(step, states, live, part);
  if (failed(next))
    return failure();
  doubt_ = stages.must_walk;
  if (part == ChunkStages::exits)
    return next;
  if (failed(step.emit(scan.getFinish())))
    return failure();
  builder.setLoc(scan.getLoc());
  auto yield = cast<pattern::YieldOp>(scan.getFinish().getTerminator());
  Value rows = kernel.walk.rowsOf(builder, tokens);
  for (auto [value, output] : llvm::zip(yield.getOutputs(), kernel.view.outputs))
    kernel.storeOutput(output, step.rows(value), rows, step.get(value).sliced);
  if (part != ChunkStages::outputs || !doubt_)
    return next;
  // Nothing comes after this chunk: its outputs are stored again.
  auto again = scf::IfOp::create(builder, doubt_, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(again.thenYield());
  if (failed(walkChunkExactly(tokens, states)))
    return failure();
  return next;
}

/// The same token by token, whatever the values hold.
FailureOr<SmallVector<Value>> ScanKernel::walkChunkExactly(const TokenSpan &tokens, ValueRange entering) {
  TileBuilder &builder = kernel.builder;
  SmallVector<Value> states;
  for (auto [state, value] : llvm::zip(stored, entering))
    states.push_back(state.fromMatrix(builder, value));
  Value count = builder.minimum(tokens.live, builder.index(chunk_));
  auto after = walkTokens(kernel, scan, tokens.first, builder.add(tokens.first, count), states);
  if (failed(after))
    return failure();
  for (auto [state, value] : llvm::zip(stored, *after))
    value = state.toMatrix(builder, value);
  return after;
}

/// A loop over the chunks; behind the states it gives whether a chunk remembers too much, where one may.
FailureOr<SmallVector<Value>> ScanKernel::loopOverChunks(ValueRange states, ChunkBody body) {
  TileBuilder &builder = kernel.builder;
  SmallVector<Value> carried(states);
  bool votes = !exactly_ && may_reset_;
  if (votes)
    carried.push_back(builder.splat(builder.getI1Type(), 0));
  auto loop =
      scf::ForOp::create(builder, builder.index(0), kernel.walk.tokens, builder.index(chunk_), carried);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  builder.setInsertionPointToEnd(block);
  FailureOr<SmallVector<Value>> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs().take_front(states.size()));
  if (failed(next))
    return failure();
  if (votes)
    next->push_back(arith::OrIOp::create(builder, loop.getRegionIterArgs().back(), doubt_));
  scf::YieldOp::create(builder, *next);
  builder.setInsertionPointAfter(loop);
  return SmallVector<Value>(loop.getResults());
}

FailureOr<SmallVector<Value>> ScanKernel::walkChunks(function_ref<SmallVector<Value>()> entry,
                                                     ChunkBody body) {
  TileBuilder &builder = kernel.builder;
  FailureOr<SmallVector<Value>> states = loopOverChunks(entry(), body);
  if (failed(states) || !may_reset_)
    return states;
  // One vote for the whole walk: a state that is kept for a second try of each chunk would have to be copied
  // in all of them, whatever the values hold.
  Value doubt = states->pop_back_val();
  auto branch = scf::IfOp::create(builder, TypeRange(ValueRange(*states)), doubt, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    exactly_ = true;
    FailureOr<SmallVector<Value>> again = loopOverChunks(entry(), body);
    exactly_ = false;
    if (failed(again))
      return failure();
    scf::YieldOp::create(builder, *again);
    builder.setInsertionPointToStart(branch.elseBlock());
    SmallVector<Value> none;
    for (Value state : *states)
      none.push_back(builder.splat(state.getType(), 0));
    scf::YieldOp::create(builder, none);
  }
  for (auto [state, again] : llvm::zip(*states, branch.getResults()))
    state = builder.select(doubt, again, state);
  return states;
}
