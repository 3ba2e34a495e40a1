#include "compiler/derive/chunk_stages.h"
#include "compiler/derive/stored_state.h"

using namespace mlir;
using namespace linmu;

unsigned CarriedParts::tileOf(unsigned transition) const {
  unsigned position = states;
  for (const Transition &before : ArrayRef(transitions).take_front(transition))
    position += before.types().size();
  return position;
}

std::optional<unsigned> CarriedParts::transitionOf(unsigned state) const {
  unsigned first = states - transitions.size();
  return state < first ? std::nullopt : std::optional(state - first);
}

ChunkStages::ChunkStages(pattern::NormalScanOp scan, const LoopView &view, TileBuilder &builder,
                         int64_t chunk, const CarriedParts &carried, Part part)
    : scan_(scan), view_(view), builder_(builder), chunk_(chunk), carried_(carried), part_(part),
      bound_(view.params.size() + view.tokens.size()) {
  for (unsigned stage = 0; stage < scan.getNumStages() && scan.getFirstState(stage) < carried.states; ++stage)
    blocks.push_back(&scan.getStage(stage));
  if (part != exits)
    blocks.push_back(&scan.getFinish());
}

bool ChunkStages::isUsed(ArrayRef<Block *> later, unsigned argument) {
  return llvm::any_of(later, [&](Block *block) { return !block->getArgument(argument).use_empty(); });
}

/// Binds the next argument of `later`, where one of them uses it.
void ChunkStages::bindResult(StepEmitter &step, ArrayRef<Block *> later, bool hasColumns,
                             function_ref<Value()> result) {
  unsigned argument = bound_++;
  if (!isUsed(later, argument))
    return;
  Value rows = result();
  for (Block *block : later) {
    // A value without axis is [C, 1] in the algebra and [C] in the step.
    bool isScalar = isa<FloatType>(block->getArgument(argument).getType());
    step.bind(block->getArgument(argument),
              {isScalar ? builder_.sum(rows, 1) : rows, true, step.isSliced() && hasColumns});
  }
}

FailureOr<SmallVector<Value>> ChunkStages::run(StepEmitter &step, ValueRange entering, Value live) {
  SmallVector<Value> next, transitions;
  unsigned firstToken = view_.params.size();
  for (unsigned stage = 0, state = 0; state < carried_.states; state += scan_.getForm(stage++).getStates()) {
    if (failed(step.emit(scan_.getStage(stage))))
      return failure();
    pattern::FormOp form = scan_.getForm(stage);
    ValueRange states = entering.slice(state, form.getStates());
    builder_.setLoc(form.getLoc());
    StateChunk chunk(
        builder_, form,
        ChunkInputs::of(builder_, form, step, chunk_, live, firstToken, firstToken + view_.tokens.size()));
    if (take_prepared)
      take_prepared(stage, chunk);
    ArrayRef<Block *> later = ArrayRef(blocks).drop_front(stage + 1);
    bool hasColumns = StoredState(scan_, state).hasColumns();
    if (!chunk.system().fedBack().empty()) {
      SmallVector<int64_t> reads;
      for (int64_t read = 0; read < int64_t(form.getReads().size()); ++read)
        if (isUsed(later, bound_ + read))
          reads.push_back(read);
      chunk.enter(reads, states);
    }
    for (int64_t read = 0; read < int64_t(form.getReads().size()); ++read)
      bindResult(step, later, hasColumns, [&] { return chunk.read(read, states); });
    for (int64_t write = 0; write < int64_t(form.getWrites().size()); ++write)
      bindResult(step, later, hasColumns, [&] { return chunk.writes(states)[write]; });
    if (part_ != outputs)
      next.append(chunk.next(states));
    SmallVector<Value> remembered(states);
    if (std::optional<unsigned> number = carried_.transitionOf(state)) {
      const Transition &transition = carried_.transitions[*number];
      ValueRange tiles = entering.slice(carried_.tileOf(*number), transition.types().size());
      llvm::append_range(transitions, transition.over(builder_, chunk, tiles));
      if (transition.isMatrix())
        remembered.push_back(tiles.front());
    }
    if (Value doubt = chunk.remembersTooMuch(remembered))
      must_walk = must_walk ? Value(arith::OrIOp::create(builder_, must_walk, doubt)) : doubt;
  }
  next.append(transitions);
  return next;
}
