// Two kernels: the first walks the chunks for the states at their entries alone, the second takes all chunks
// at once for the outputs. More work than one walk, and as many blocks as there are chunks.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/sequence_blocks.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;

/// The states at the entries of the chunks, K x V tiles of f32: [B, H, chunks, K, V]. Chunks are numbered by
/// their places, and those of a ragged batch by those of all its sequences.
static Value entriesOf(const StoredState &state, const LoopView &view, Value chunks,
                       ProgramBuilder &program) {
  Type f32 = Float32Type::get(program.program().getContext());
  auto type = RankedTensorType::get(
      {ShapedType::kDynamic, view.heads, ShapedType::kDynamic, state.key_size, state.value_size}, f32);
  return program.temporary(type, {view.sequences ? program.constant(1) : program.batch(), chunks});
}

FailureOr<OpPlan> linmu::deriveTwoKernels(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                          ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  SequenceBlocks blocks(view, schedule.chunk);
  Value chunks = blocks.places(program);
  SmallVector<Value> entries;
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    entries.push_back(entriesOf(StoredState(scan, state), view, chunks, program));

  ScanKernel states(scan, view, program, "states", schedule.chunk);
  {
    LoopKernel &kernel = states.kernel;
    kernel.walkSequenceAndHead(program);
    kernel.loadParams();
    SmallVector<Value> memory;
    for (Value entry : entries)
      memory.push_back(kernel.addMemory(entry));
    TileBuilder &builder = kernel.builder;
    auto enter = [&](Value first, ValueRange entering) {
      Value chunk = arith::DivUIOp::create(builder, first, builder.index(schedule.chunk));
      Value place = blocks.placeOf(kernel, chunk);
      for (auto [tile, to] : llvm::zip(entering, memory))
        storeTile(builder, tile, to, {kernel.walk.batch, kernel.walk.head, place});
      return states.chunk(first, entering, ChunkStages::exits);
    };
    auto last = states.walkChunks([&] { return states.initialStates(); }, enter);
    if (failed(last))
      return failure();
    states.storeFinalStates(*last);
  }

  ScanKernel outputs(scan, view, program, "outputs", schedule.chunk);
  LoopKernel &kernel = outputs.kernel;
  TileBuilder &builder = kernel.builder;
  SmallVector<Value> memory, entering;
  for (Value entry : entries)
    memory.push_back(kernel.addMemory(entry));
  Value chunk = blocks.enter(kernel, program, chunks);
  kernel.loadParams();
  Value place = blocks.placeOf(kernel, chunk);
  for (Value from : memory)
    entering.push_back(loadTile(builder, from, {kernel.walk.batch, kernel.walk.head, place}));
  if (failed(outputs.chunk(builder.multiply(chunk, builder.index(schedule.chunk)), entering,
                           ChunkStages::outputs)))
    return failure();

  OpPlan plan{schedule.described(), {states.kernel.launch, kernel.launch}};
  // All blocks of both launches read the tails before one writes them.
  kernel.appendTailLaunches(program, /*all=*/true, plan);
  return plan;
}
