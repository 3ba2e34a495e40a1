// The chunked algorithm: a block walks one sequence of one head in chunks of C tokens, with every state, or a
// slice of its value columns, in a tile.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/scan_kernel.h"

using namespace mlir;
using namespace linmu;

FailureOr<OpPlan> linmu::deriveInChunks(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                        ProgramBuilder &program) {
  switch (schedule.algorithm) {
  case Algorithm::two_kernels:
    return deriveTwoKernels(scan, schedule, program);
  case Algorithm::segmented:
    return deriveSegmented(scan, schedule, program);
  default:
    return deriveChunked(scan, schedule, program);
  }
}

FailureOr<OpPlan> linmu::deriveChunked(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                       ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  ScanKernel of(scan, view, program, schedule.columns ? "chunked_columns" : "chunked", schedule.chunk);
  LoopKernel &kernel = of.kernel;
  kernel.walkBatchAndHead(program, schedule.columns, schedule.value_columns);
  kernel.loadParams();
  SmallVector<EpilogueValue> values;
  if (schedule.epilogue)
    values = epilogueValuesOf(scan, program);
  for (const EpilogueValue &value : values)
    kernel.kept.push_back({value.argument, kernel.addMemory(value.memory)});
  auto states = of.walkChunks(
      [&] { return of.initialStates(); },
      [&](Value first, ValueRange states) { return of.chunk(first, states, ChunkStages::all); });
  if (failed(states))
    return failure();
  of.storeFinalStates(*states);
  // Other slices read the tails as well.
  if (!kernel.columns)
    kernel.storeOwnTails();
  OpPlan plan{schedule.described(), {kernel.launch}};
  if (schedule.epilogue) {
    FailureOr<LaunchPlan> epilogue = deriveEpilogue(scan, values, schedule.epilogue, program);
    if (failed(epilogue))
      return failure();
    plan.launches.push_back(*epilogue);
  }
  kernel.appendTailLaunches(program, /*all=*/bool(kernel.columns), plan);
  return plan;
}
