#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/token_walk.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

ScanKernel::ScanKernel(pattern::NormalScanOp scan, const LoopView &view, ProgramBuilder &program,
                       StringRef name, int64_t chunk)
    : scan(scan), kernel(program, view, name), chunk_(chunk) {
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    stored.emplace_back(scan, state);
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
  Value live = builder.before(tokens.live, chunk_);
  ChunkStages stages(scan, kernel.view, builder, chunk_);
  StepEmitter step = kernel.startStep(tokens, stages.blocks);
  FailureOr<SmallVector<Value>> next = stages.run(step, states, live, part);
  if (failed(next))
    return failure();
  if (part == ChunkStages::exits)
    return stages.must_walk ? walkAgain(stages.must_walk, tokens, states, *next) : next;
  if (failed(step.emit(scan.getFinish())))
    return failure();
  builder.setLoc(scan.getLoc());
  auto yield = cast<pattern::YieldOp>(scan.getFinish().getTerminator());
  Value rows = kernel.walk.rowsOf(builder, tokens);
  for (auto [value, output] : llvm::zip(yield.getOutputs(), kernel.view.outputs))
    kernel.storeOutput(output, step.rows(value), rows, step.get(value).sliced);
  return stages.must_walk ? walkAgain(stages.must_walk, tokens, states, *next) : next;
}

/// Where the condition holds, the chunk once more token by token: its outputs are stored again, and the
/// states after it stand for `next`.
FailureOr<SmallVector<Value>> ScanKernel::walkAgain(Value condition, const TokenSpan &tokens,
                                                    ValueRange entering, ValueRange next) {
  TileBuilder &builder = kernel.builder;
  SmallVector<Type> types(entering.getTypes());
  auto branch = scf::IfOp::create(builder, types, condition, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    SmallVector<Value> states;
    for (auto [state, value] : llvm::zip(stored, entering))
      states.push_back(state.fromMatrix(builder, value));
    Value count = builder.minimum(tokens.live, builder.index(chunk_));
    auto after = walkTokens(kernel, scan, tokens.first, builder.add(tokens.first, count), states);
    if (failed(after))
      return failure();
    for (auto [state, value] : llvm::zip(stored, *after))
      value = state.toMatrix(builder, value);
    scf::YieldOp::create(builder, *after);
    builder.setInsertionPointToStart(branch.elseBlock());
    SmallVector<Value> none;
    for (Type type : types)
      none.push_back(builder.splat(type, 0));
    scf::YieldOp::create(builder, none);
  }
  SmallVector<Value> result;
  for (auto [again, once] : llvm::zip(branch.getResults(), next))
    result.push_back(builder.select(condition, again, once));
  return result;
}

FailureOr<SmallVector<Value>> ScanKernel::walkChunks(ValueRange states, ChunkBody body) {
  TileBuilder &builder = kernel.builder;
  auto loop =
      scf::ForOp::create(builder, builder.index(0), kernel.walk.tokens, builder.index(chunk_), states);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  builder.setInsertionPointToEnd(block);
  FailureOr<SmallVector<Value>> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (failed(next))
    return failure();
  scf::YieldOp::create(builder, *next);
  builder.setInsertionPointAfter(loop);
  return SmallVector<Value>(loop.getResults());
}
