// Two kernels: the first walks the chunks for the states at their entries alone, the second takes all chunks
// at once for the outputs. More work than one walk, and as many blocks as there are chunks.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/scan_kernel.h"

using namespace mlir;
using namespace linmu;

/// The states at the entries of the chunks, K x V tiles of f32: [B, H, chunks, K, V].
static Value entriesOf(const StoredState &state, int64_t heads, Value chunks, ProgramBuilder &program) {
  Type f32 = Float32Type::get(program.program().getContext());
  auto type = RankedTensorType::get(
      {ShapedType::kDynamic, heads, ShapedType::kDynamic, state.key_size, state.value_size}, f32);
  return program.temporary(type, {program.batch(), chunks});
}

FailureOr<OpPlan> linmu::deriveTwoKernels(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                          ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  Value chunks = program.ceilDivide(program.tokens(), schedule.chunk);
  SmallVector<Value> entries;
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    entries.push_back(entriesOf(StoredState(scan, state), view.heads, chunks, program));

  ScanKernel states(scan, view, program, "states", schedule.chunk);
  {
    LoopKernel &kernel = states.kernel;
    kernel.walkBatchAndHead(program);
    kernel.loadParams();
    SmallVector<Value> memory;
    for (Value entry : entries)
      memory.push_back(kernel.addMemory(entry));
    TileBuilder &builder = kernel.builder;
    auto last = states.walkChunks([&] { return states.initialStates(); },
                                  [&](Value first, ValueRange entering) {
                                    Value chunk =
                                        arith::DivUIOp::create(builder, first, builder.index(schedule.chunk));
                                    for (auto [tile, to] : llvm::zip(entering, memory))
                                      builder.store(tile, to, {kernel.walk.batch, kernel.walk.head, chunk});
                                    return states.chunk(first, entering, ChunkStages::exits);
                                  });
    if (failed(last))
      return failure();
    states.storeFinalStates(*last);
  }

  ScanKernel outputs(scan, view, program, "outputs", schedule.chunk);
  LoopKernel &kernel = outputs.kernel;
  TileBuilder &builder = kernel.builder;
  kernel.walk.head = builder.blockId(0);
  kernel.walk.batch = builder.blockId(2);
  Value chunk = builder.blockId(1);
  kernel.launch.grid = {program.constant(view.heads), chunks, program.batch()};
  kernel.loadParams();
  SmallVector<Value> entering;
  for (Value entry : entries)
    entering.push_back(builder.load(kernel.addMemory(entry), {kernel.walk.batch, kernel.walk.head, chunk}));
  if (failed(outputs.chunk(builder.multiply(chunk, builder.index(schedule.chunk)), entering,
                           ChunkStages::outputs)))
    return failure();

  OpPlan plan{schedule.described(), {states.kernel.launch, kernel.launch}};
  // All blocks of both launches read the tails before one writes them.
  kernel.appendTailLaunches(program, /*all=*/true, plan);
  return plan;
}
