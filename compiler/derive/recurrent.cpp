// The recurrent algorithm: a block walks its sequence token by token with the states in tiles.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/token_walk.h"

using namespace mlir;
using namespace linmu;

FailureOr<OpPlan> linmu::deriveRecurrent(Operation *op, ProgramBuilder &program) {
  LoopView view = LoopView::of(op);
  LoopKernel kernel(program, view, "recurrent");
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program);
  kernel.loadParams();
  SmallVector<Value> initial;
  for (unsigned state = 0; state < view.finals.size(); ++state)
    initial.push_back(kernel.initialState(state));

  auto states = walkTokens(kernel, op, builder.index(0), kernel.walk.tokens, initial);
  if (failed(states))
    return failure();
  for (auto [state, value] : llvm::enumerate(*states))
    kernel.storeState(state, value);
  kernel.storeOwnTails();

  OpPlan plan{{"recurrent", {}}, {kernel.launch}};
  kernel.appendTailLaunches(program, /*all=*/false, plan);
  return plan;
}
