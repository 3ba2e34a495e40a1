// The chunked algorithm: a block walks one sequence of one head in chunks of C tokens, with every state, or a
// slice of its value columns, in a tile.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/prepared_chunks.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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

/// From the initial states to the final ones.
static LogicalResult walkInChunks(ScanKernel &of) {
  auto states = of.walkChunks(
      [&] { return of.initialStates(); },
      [&](Value first, ValueRange states) { return of.chunk(first, states, ChunkStages::all); });
  if (succeeded(states))
    of.storeFinalStates(*states);
  return states;
}

/// The same; walks of fewer than `few` tokens one token at a time. A ragged batch has both: prompts, and
/// sequences of which one token is added.
static LogicalResult walkByLength(ScanKernel &of, int64_t few) {
  TileBuilder &builder = of.kernel.builder;
  Value isShort = builder.compare(arith::CmpIPredicate::slt, of.kernel.walk.tokens, builder.index(few));
  auto branch = scf::IfOp::create(builder, isShort, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenYield());
  auto states = of.walkTokenByToken(of.initialStates());
  if (failed(states))
    return failure();
  of.storeFinalStates(*states);
  builder.setInsertionPoint(branch.elseYield());
  return walkInChunks(of);
}

FailureOr<OpPlan> linmu::deriveChunked(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                       ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  ScanKernel of(scan, view, program, schedule.columns ? "chunked_columns" : "chunked", schedule.chunk);
  LoopKernel &kernel = of.kernel;
  kernel.walkSequenceAndHead(program, schedule.columns, schedule.value_columns);
  kernel.loadParams();
  OpPlan plan{schedule.described(), {}};
  std::optional<PreparedChunks> prepared;
  if (schedule.prepare) {
    prepared.emplace(scan, view, schedule.chunk, program);
    FailureOr<LaunchPlan> launch = prepared->derive(program);
    if (failed(launch))
      return failure();
    plan.launches.push_back(*launch);
    prepared->addTo(of);
  }
  SmallVector<EpilogueValue> values;
  if (schedule.epilogue)
    values = epilogueValuesOf(scan, program);
  for (const EpilogueValue &value : values)
    kernel.kept.push_back({value.argument, kernel.addMemory(value.memory)});
  if (failed(schedule.recurrent_below ? walkByLength(of, schedule.recurrent_below) : walkInChunks(of)))
    return failure();
  // Other slices read the tails as well.
  if (!kernel.columns)
    kernel.storeOwnTails();
  plan.launches.push_back(kernel.launch);
  if (schedule.epilogue) {
    FailureOr<LaunchPlan> epilogue = deriveEpilogue(scan, values, schedule.epilogue, program);
    if (failed(epilogue))
      return failure();
    plan.launches.push_back(*epilogue);
  }
  kernel.appendTailLaunches(program, /*all=*/bool(kernel.columns), plan);
  return plan;
}
