// The chunked algorithm: a block walks one sequence of one head in chunks of C tokens, with every state, or a
// slice of its value columns, in a tile.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/separability.h"

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

static SmallVector<StateCost> costsOf(pattern::NormalScanOp scan) {
  SmallVector<StateCost> costs;
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    pattern::FormOp form = scan.getForm(state);
    StoredState stored(scan, state);
    costs.push_back({stored.key_size, stored.value_size, int64_t(form.getReads().size()),
                     int64_t(form.getWrites().size())});
  }
  return costs;
}

std::string linmu::nameOf(const ScanSchedule &schedule) {
  std::string columns = schedule.columns ? ", columns=" + std::to_string(schedule.columns) : "";
  return (schedule.two_kernels ? "two_kernels(chunk=" : "chunked(chunk=") + std::to_string(schedule.chunk) +
         columns + ")";
}

FailureOr<OpPlan> linmu::deriveInChunks(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                        ProgramBuilder &program) {
  return schedule.two_kernels ? deriveTwoKernels(scan, schedule, program)
                              : deriveChunked(scan, schedule, program);
}

FailureOr<ScanSchedule> linmu::scheduleOf(pattern::NormalScanOp scan, const Schedule &schedule,
                                          bool fewBlocks) {
  SmallVector<StateCost> costs = costsOf(scan);
  ScanSchedule result{chooseChunk(costs, schedule)};
  if (schedule.algorithm == Schedule::Algorithm::two_kernels) {
    result.two_kernels = true;
    return result;
  }
  Separability columns(scan);
  Operation *obstacle = columns.states ? columns.states : columns.finish;
  if (schedule.columns && schedule.columns < columns.columns) {
    if (obstacle)
      return obstacle->emitOpError("needs all value columns at once, so that the schedule's columns=")
             << schedule.columns << " cannot split them";
    result.columns = schedule.columns;
  } else if (fewBlocks && !obstacle && !schedule.columns) {
    result.columns = chooseColumns(costs, result.chunk, columns.columns, scan.getHeads(), schedule);
  }
  return result;
}

FailureOr<OpPlan> linmu::deriveChunked(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                       ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  ScanKernel of(scan, view, program, schedule.columns ? "chunked_columns" : "chunked", schedule.chunk);
  LoopKernel &kernel = of.kernel;
  kernel.walkBatchAndHead(program, schedule.columns, Separability(scan).columns);
  kernel.loadParams();
  auto states = of.walkChunks(
      [&] { return of.initialStates(); },
      [&](Value first, ValueRange states) { return of.chunk(first, states, ChunkStages::all); });
  if (failed(states))
    return failure();
  of.storeFinalStates(*states);
  // Other slices read the tails as well.
  if (!kernel.columns)
    kernel.storeOwnTails();
  OpPlan plan{nameOf(schedule), {kernel.launch}};
  kernel.appendTailLaunches(program, /*all=*/bool(kernel.columns), plan);
  return plan;
}
