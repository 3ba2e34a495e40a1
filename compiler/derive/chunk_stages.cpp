#include "compiler/derive/chunk_stages.h"
#include "compiler/derive/stored_state.h"

using namespace mlir;
using namespace linmu;

/// Binds the next argument of `later`, where one of them uses it.
void ChunkStages::bindResult(StepEmitter &step, ArrayRef<Block *> later, bool hasColumns,
                             function_ref<Value()> result) {
  unsigned argument = bound_++;
  if (llvm::all_of(later, [&](Block *block) { return block->getArgument(argument).use_empty(); }))
    return;
  Value rows = result();
  for (Block *block : later) {
    // A value without axis is [C, 1] in the algebra and [C] in the step.
    bool isScalar = isa<FloatType>(block->getArgument(argument).getType());
    step.bind(block->getArgument(argument),
              {isScalar ? builder_.sum(rows, 1) : rows, true, step.isSliced() && hasColumns});
  }
}

FailureOr<SmallVector<Value>> ChunkStages::run(StepEmitter &step, ValueRange states, Value live, Part part) {
  SmallVector<Value> next;
  unsigned firstToken = view_.params.size();
  for (unsigned state = 0; state < scan_.getNumStates(); ++state) {
    if (failed(step.emit(scan_.getStage(state))))
      return failure();
    pattern::FormOp form = scan_.getForm(state);
    builder_.setLoc(form.getLoc());
    StateChunk chunk(
        builder_, form,
        ChunkInputs::of(builder_, form, step, chunk_, live, firstToken, firstToken + view_.tokens.size()));
    ArrayRef<Block *> later = ArrayRef(blocks).drop_front(state + 1);
    if (part == exits)
      later = later.drop_back();
    bool hasColumns = StoredState(scan_, state).hasColumns();
    for (int64_t read = 0; read < int64_t(form.getReads().size()); ++read)
      bindResult(step, later, hasColumns, [&] { return chunk.read(read, states[state]); });
    for (int64_t write = 0; write < int64_t(form.getWrites().size()); ++write)
      bindResult(step, later, hasColumns, [&] { return chunk.writes(states[state])[write]; });
    if (part != outputs)
      next.push_back(chunk.next(states[state]));
    if (Value doubt = chunk.remembersTooMuch(states[state]))
      must_walk = must_walk ? Value(arith::OrIOp::create(builder_, must_walk, doubt)) : doubt;
  }
  return next;
}
