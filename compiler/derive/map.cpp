// Maps: blocks of tokens, together as tiles or one by one.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/sequence_blocks.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

FailureOr<OpPlan> linmu::deriveMap(pattern::MapOp map, const Schedule &schedule, bool together,
                                   ProgramBuilder &program) {
  LoopView view = LoopView::of(map);
  int64_t size = schedule.map_block;
  LoopKernel kernel(program, view, together ? "map" : "map_tokens");
  TileBuilder &builder = kernel.builder;

  // Heads vary fastest over blocks: those of one token lie side by side in memory.
  Value first = builder.multiply(SequenceBlocks(view, size).enter(kernel, program), builder.index(size));
  Value left = builder.subtract(kernel.walk.tokens, first);
  kernel.loadParams();

  Block &body = map.getBody();
  auto emit = [&](const TokenSpan &positions) -> LogicalResult {
    StepEmitter emitter = kernel.startStep(positions, &body);
    if (failed(emitter.emit(body)))
      return failure();
    builder.setLoc(map.getLoc());
    Value rows = kernel.walk.rowsOf(builder, positions);
    for (auto [value, output] : llvm::zip(map.getYield().getOutputs(), view.outputs))
      kernel.storeOutput(output, emitter.rows(value), rows);
    return success();
  };
  int64_t reach = 0;
  body.walk([&](pattern::LagOp lag) { reach = std::max<int64_t>(reach, lag.getDistance()); });
  if (together && reach && !schedule.has_warps) {
    // Most blocks need not ask of each row whether it, or one that it looks back to, is there. Where many
    // threads ask at once that costs less than a second body.
    Value inside = arith::AndIOp::create(
        builder, builder.compare(arith::CmpIPredicate::sge, first, builder.index(reach)),
        builder.compare(arith::CmpIPredicate::sge, left, builder.index(size)));
    auto choice = scf::IfOp::create(builder, inside, /*withElseRegion=*/true);
    builder.setInsertionPoint(choice.thenYield());
    if (failed(emit({.first = first, .size = size, .inside = true})))
      return failure();
    builder.setInsertionPoint(choice.elseYield());
    if (failed(emit({first, size, left})))
      return failure();
    builder.setInsertionPointAfter(choice);
  } else if (together) {
    if (failed(emit({first, size, left})))
      return failure();
  } else {
    Value end = builder.add(first, builder.minimum(builder.index(size), left));
    auto loop = scf::ForOp::create(builder, first, end, builder.index(1));
    builder.setInsertionPoint(loop.getBody()->getTerminator());
    if (failed(emit({loop.getInductionVar()})))
      return failure();
    builder.setInsertionPointAfter(loop);
  }

  // Blocks share the tails, so that none may write one before all have read.
  OpPlan plan{{"map", {}}, {kernel.launch}};
  if (together)
    plan.schedule.settings.push_back({"map_block", size});
  kernel.appendTailLaunches(program, /*all=*/true, plan);
  return plan;
}
