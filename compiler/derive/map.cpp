// Maps: blocks of tokens, together as tiles or one by one.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
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
  Value block = tile::BlockIdOp::create(builder, builder.getIndexType());
  Value heads = builder.index(view.heads), step = builder.index(size);
  Value ranges =
      arith::DivUIOp::create(builder, builder.add(kernel.walk.tokens, builder.index(size - 1)), step);
  Value group = arith::DivUIOp::create(builder, block, heads);
  kernel.walk.head = arith::RemUIOp::create(builder, block, heads);
  kernel.walk.batch = arith::DivUIOp::create(builder, group, ranges);
  Value first = builder.multiply(arith::RemUIOp::create(builder, group, ranges), step);
  kernel.launch.scale = view.heads;
  kernel.launch.times_batch = true;
  kernel.launch.tokens_per_block = size;
  kernel.loadParams();

  Block &body = map.getBody();
  auto emit = [&](Value positions, Value live) -> LogicalResult {
    StepEmitter emitter = kernel.startStep(positions, &body);
    if (failed(emitter.emit(body)))
      return failure();
    builder.setLoc(map.getLoc());
    Value rows = kernel.walk.rowsOf(builder, positions);
    for (auto [value, output] : llvm::zip(map.getYield().getOutputs(), view.outputs))
      kernel.storeOutput(output, emitter.rows(value), rows, live);
    return success();
  };
  if (together) {
    Value last = builder.toI32(builder.subtract(kernel.walk.tokens, builder.index(1)));
    Value positions = builder.add(builder.fill(builder.toI32(first), {size}), builder.coordinate({size}));
    Value lasts = builder.fill(last, {size});
    Value live = builder.compare(arith::CmpIPredicate::sle, positions, lasts);
    if (failed(emit(builder.minimum(positions, lasts), live)))
      return failure();
  } else {
    Value end = builder.minimum(builder.add(first, step), kernel.walk.tokens);
    auto loop = scf::ForOp::create(builder, first, end, builder.index(1));
    builder.setInsertionPoint(loop.getBody()->getTerminator());
    if (failed(emit(loop.getInductionVar(), {})))
      return failure();
    builder.setInsertionPointAfter(loop);
  }

  // Blocks share the tails, so that none may write one before all have read.
  OpPlan plan{together ? "map(block=" + std::to_string(size) + ")" : "map", {kernel.launch}};
  kernel.appendTailLaunches(program, /*all=*/true, plan);
  return plan;
}
