// The gradients of a scan in normal form by one walk back: a first kernel walks chunks of tokens for the
// states at their entries alone, a second walks back over them, from the last chunk to the first, with the
// gradient of the state in a tile. Inside a chunk it takes all tokens at once, or, token by token, first the
// states before each of them and then the walk back.
#include "compiler/derive/adjoint_kernel.h"
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loops.h"
#include "compiler/derive/sequence_blocks.h"
#include "compiler/schedule/key_space.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;

namespace {

class AdjointWalk {
public:
  /// Works on `together` tokens of a chunk at once: all of them, or one.
  AdjointWalk(pattern::ScanAdjointOp op, const LoopView &view, int64_t chunk, int64_t together,
              ProgramBuilder &program)
      : op_(op), view_(view), program_(program), blocks_(view, chunk), chunk_(chunk), together_(together) {
    entries_ = temporaryOf(ShapedType::kDynamic,
                           {view.sequences ? program.constant(1) : program.batch(), blocks_.places(program)});
    if (together < chunk)
      states_ = temporaryOf(chunk, {program.sequencesOf(view.sequences)});
  }

  FailureOr<LaunchPlan> deriveStates();
  FailureOr<LaunchPlan> deriveGradients();

private:
  /// States [B, H, count, K, V].
  Value temporaryOf(int64_t count, ValueRange extents) {
    StoredState stored(op_.getStateSlice(), op_.getForm().getKeyAxis());
    auto type =
        RankedTensorType::get({ShapedType::kDynamic, view_.heads, count, stored.key_size, stored.value_size},
                              Float32Type::get(op_.getContext()));
    return program_.temporary(type, extents);
  }
  FailureOr<Value> walkBack(AdjointKernel &of, Value number, Value state, Value adjoint);
  FailureOr<Value> gradients(AdjointKernel &of, Value first, Value state, Value adjoint);
  FailureOr<Value> next(AdjointKernel &of, Value first, Value state);
  /// Where the state at the entry of the chunk of this number stands.
  SmallVector<Value> placeOf(LoopKernel &kernel, Value number) {
    return {kernel.walk.batch, kernel.walk.head, blocks_.placeOf(kernel, number)};
  }

  pattern::ScanAdjointOp op_;
  const LoopView &view_;
  ProgramBuilder &program_;
  SequenceBlocks blocks_;
  int64_t chunk_, together_;
  Value entries_; ///< of the chunks: [B, H, chunks, K, V], or of a ragged batch [1, H, places, K, V]
  Value states_;  ///< of the tokens of the chunk at hand, where they are taken one by one
  Value states_memory_;
};

} // namespace

/// The same as loopOver with one value carried.
static FailureOr<Value> carryOver(TileBuilder &builder, Value begin, Value end, int64_t step, Value carried,
                                  function_ref<FailureOr<Value>(Value at, Value carried)> body) {
  auto one = [&](Value at, ValueRange carried) -> FailureOr<Carried> {
    FailureOr<Value> next = body(at, carried.front());
    if (failed(next))
      return failure();
    return Carried{*next};
  };
  FailureOr<Carried> after = loopOver(builder, begin, end, builder.index(step), ValueRange{carried}, one);
  if (failed(after))
    return failure();
  return after->front();
}

/// The state behind the tokens from `first` on.
FailureOr<Value> AdjointWalk::next(AdjointKernel &of, Value first, Value state) {
  FailureOr<ChunkInputs> inputs = of.inputs(of.tokensAt(first));
  if (failed(inputs))
    return failure();
  return StateChunk(of.kernel.builder, op_.getForm(), *inputs).next(state);
}

FailureOr<LaunchPlan> AdjointWalk::deriveStates() {
  AdjointKernel of(op_, view_, program_, "adjoint_states", together_);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_);
  Value memory = kernel.addMemory(entries_);
  auto enter = [&](Value first, Value state) -> FailureOr<Value> {
    Value number = arith::DivUIOp::create(builder, first, builder.index(chunk_));
    storeTile(builder, state, memory, placeOf(kernel, number));
    if (together_ == chunk_)
      return next(of, first, state);
    Value end = builder.minimum(builder.add(first, builder.index(chunk_)), kernel.walk.tokens);
    return carryOver(builder, first, end, 1, state,
                     [&](Value at, Value state) { return next(of, at, state); });
  };
  if (failed(carryOver(builder, builder.index(0), kernel.walk.tokens, chunk_, of.initialState(), enter)))
    return failure();
  return kernel.launch;
}

/// Stores the gradients of the tokens from `first` on; from the state before them and its gradient behind
/// them to the gradient of the state before them.
FailureOr<Value> AdjointWalk::gradients(AdjointKernel &of, Value first, Value state, Value adjoint) {
  TokenSpan tokens = of.tokensAt(first);
  std::unique_ptr<AdjointChunk> chunk = of.chunk(tokens, state, adjoint);
  if (!chunk)
    return failure();
  of.storeGradients(*chunk, tokens);
  return chunk->next();
}

/// The same of a chunk, by its number.
FailureOr<Value> AdjointWalk::walkBack(AdjointKernel &of, Value number, Value state, Value adjoint) {
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Value size = builder.index(chunk_), first = builder.multiply(number, size);
  if (together_ == chunk_)
    return gradients(of, first, state, adjoint);
  Value end = builder.minimum(builder.subtract(kernel.walk.tokens, first), size);
  Walk ofStates = kernel.walk.ofStates();
  auto place = [&](Value at) { return SmallVector<Value>{ofStates.batch, ofStates.head, at}; };
  auto keep = [&](Value at, Value state) -> FailureOr<Value> {
    storeTile(builder, state, states_memory_, place(at));
    return next(of, builder.add(first, at), state);
  };
  if (failed(carryOver(builder, builder.index(0), end, 1, state, keep)))
    return failure();
  return carryOver(builder, builder.index(0), end, 1, adjoint, [&](Value index, Value adjoint) {
    Value at = builder.subtract(builder.subtract(end, builder.index(1)), index);
    return gradients(of, builder.add(first, at), loadTile(builder, states_memory_, place(at)), adjoint);
  });
}

FailureOr<LaunchPlan> AdjointWalk::deriveGradients() {
  AdjointKernel of(op_, view_, program_, "adjoint", together_);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_);
  Value memory = kernel.addMemory(entries_);
  if (states_)
    states_memory_ = kernel.addMemory(states_);
  // The chunks are those of the first kernel: the short one is the last of the sequence, and comes first
  // here.
  Value more = builder.add(kernel.walk.tokens, builder.index(chunk_ - 1));
  Value chunks = arith::DivUIOp::create(builder, more, builder.index(chunk_));
  auto back = [&](Value index, Value adjoint) {
    Value number = builder.subtract(builder.subtract(chunks, builder.index(1)), index);
    return walkBack(of, number, loadTile(builder, memory, placeOf(kernel, number)), adjoint);
  };
  FailureOr<Value> adjoint = carryOver(builder, builder.index(0), chunks, 1, of.finalCotangent(), back);
  if (failed(adjoint))
    return failure();
  of.storeInitGradient(*adjoint);
  return kernel.launch;
}

FailureOr<OpPlan> linmu::deriveAdjointWalk(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                           ProgramBuilder &program) {
  LoopView view = LoopView::of(op);
  bool recurrent = schedule.algorithm == Algorithm::recurrent;
  AdjointWalk walk(op, view, schedule.chunk, recurrent ? 1 : schedule.chunk, program);
  FailureOr<LaunchPlan> states = walk.deriveStates();
  if (failed(states))
    return failure();
  FailureOr<LaunchPlan> gradients = walk.deriveGradients();
  if (failed(gradients))
    return failure();
  OpSchedule described = recurrent ? OpSchedule{nameOf(Algorithm::recurrent), {}} : schedule.described();
  return OpPlan{described, {*states, *gradients}};
}
