// The epilogue: where blocks of a scan have some of the value columns each and `finish` needs all of them, as
// an output norm does, it becomes a kernel of its own, over what the states read and wrote.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/sequence_blocks.h"

using namespace mlir;
using namespace linmu;

SmallVector<EpilogueValue> linmu::epilogueValuesOf(pattern::NormalScanOp scan, ProgramBuilder &program) {
  SmallVector<EpilogueValue> values;
  Block &finish = scan.getFinish();
  for (unsigned index = scan.getParams().size() + scan.getTokens().size(); index < finish.getNumArguments();
       ++index) {
    BlockArgument argument = finish.getArgument(index);
    if (argument.use_empty())
      continue;
    SmallVector<int64_t> shape{ShapedType::kDynamic, ShapedType::kDynamic, int64_t(scan.getHeads())};
    if (auto vector = dyn_cast<RankedTensorType>(argument.getType()))
      llvm::append_range(shape, vector.getShape());
    Type f32 = Float32Type::get(scan.getContext());
    values.push_back(
        {index, program.temporary(RankedTensorType::get(shape, f32), {program.batch(), program.tokens()})});
  }
  return values;
}

FailureOr<LaunchPlan> linmu::deriveEpilogue(pattern::NormalScanOp scan, ArrayRef<EpilogueValue> values,
                                            int64_t size, ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  LoopKernel kernel(program, view, "epilogue");
  TileBuilder &builder = kernel.builder;
  // Heads vary fastest over blocks: those of one token lie side by side in memory.
  Value first = builder.multiply(SequenceBlocks(view, size).enter(kernel, program), builder.index(size));
  TokenSpan positions{first, size, builder.subtract(kernel.walk.tokens, first)};
  kernel.loadParams();
  Block &finish = scan.getFinish();
  StepEmitter step = kernel.startStep(positions, &finish);
  Value rows = kernel.walk.ownRowsOf(builder, positions);
  for (const EpilogueValue &value : values)
    step.bind(finish.getArgument(value.argument),
              {kernel.walk.load(builder, kernel.addMemory(value.memory), rows), true});
  if (failed(kernel.finish(finish, step, positions)))
    return failure();
  return kernel.launch;
}
