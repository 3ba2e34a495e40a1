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
    Value batch = view.sequences ? program.constant(1) : program.batch(), places = blocks_.places(program);
    for (unsigned state = 0; state < op.getNumStates(); ++state) {
      entries_.push_back(temporaryOf(ShapedType::kDynamic, {batch, places}));
      if (together < chunk)
        states_.push_back(temporaryOf(chunk, {program.sequencesOf(view.sequences)}));
    }
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
  FailureOr<Carried> walkBack(AdjointKernel &of, Value number, ValueRange states, ValueRange adjoints);
  FailureOr<Carried> gradients(AdjointKernel &of, Value first, ValueRange states, ValueRange adjoints);
  FailureOr<Carried> next(AdjointKernel &of, Value first, ValueRange states);
  /// The tiles of all states at a place.
  static void store(TileBuilder &builder, ValueRange states, ArrayRef<Value> memory, ValueRange place) {
    for (auto [state, to] : llvm::zip_equal(states, memory))
      storeTile(builder, state, to, place);
  }
  static Carried load(TileBuilder &builder, ArrayRef<Value> memory, ValueRange place) {
    return llvm::map_to_vector(memory, [&](Value from) { return loadTile(builder, from, place); });
  }
  static SmallVector<Value> argumentsOf(LoopKernel &kernel, ArrayRef<Value> memory) {
    return llvm::map_to_vector(memory, [&](Value value) { return kernel.addMemory(value); });
  }
  /// Where the states at the entry of the chunk of this number stand.
  SmallVector<Value> placeOf(LoopKernel &kernel, Value number) {
    return {kernel.walk.batch, kernel.walk.head, blocks_.placeOf(kernel, number)};
  }

  pattern::ScanAdjointOp op_;
  const LoopView &view_;
  ProgramBuilder &program_;
  SequenceBlocks blocks_;
  int64_t chunk_, together_;
  /// Of each state those of the chunks: [B, H, chunks, K, V], or of a ragged batch [1, H, places, K, V].
  SmallVector<Value> entries_;
  SmallVector<Value> states_; ///< of the tokens of the chunk at hand, where they are taken one by one
  SmallVector<Value> states_memory_;
};

} // namespace

/// The states behind the tokens from `first` on.
FailureOr<Carried> AdjointWalk::next(AdjointKernel &of, Value first, ValueRange states) {
  FailureOr<ChunkInputs> inputs = of.inputs(of.tokensAt(first));
  if (failed(inputs))
    return failure();
  return StateChunk(of.kernel.builder, op_.getForm(), *inputs).next(states);
}

FailureOr<LaunchPlan> AdjointWalk::deriveStates() {
  AdjointKernel of(op_, view_, program_, "adjoint_states", together_);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_);
  SmallVector<Value> memory = argumentsOf(kernel, entries_);
  auto enter = [&](Value first, ValueRange states) -> FailureOr<Carried> {
    Value number = arith::DivUIOp::create(builder, first, builder.index(chunk_));
    store(builder, states, memory, placeOf(kernel, number));
    if (together_ == chunk_)
      return next(of, first, states);
    Value end = builder.minimum(builder.add(first, builder.index(chunk_)), kernel.walk.tokens);
    return loopOver(builder, first, end, builder.index(1), states,
                    [&](Value at, ValueRange states) { return next(of, at, states); });
  };
  if (failed(loopOver(builder, builder.index(0), kernel.walk.tokens, builder.index(chunk_),
                      of.initialStates(), enter)))
    return failure();
  return kernel.launch;
}

/// Stores the gradients of the tokens from `first` on; from the states before them and their gradients behind
/// them to the gradients of the states before them.
FailureOr<Carried> AdjointWalk::gradients(AdjointKernel &of, Value first, ValueRange states,
                                          ValueRange adjoints) {
  TokenSpan tokens = of.tokensAt(first);
  std::unique_ptr<AdjointChunk> chunk = of.chunk(tokens, states, adjoints);
  if (!chunk)
    return failure();
  of.storeGradients(*chunk, tokens);
  return chunk->next();
}

/// The same of a chunk, by its number.
FailureOr<Carried> AdjointWalk::walkBack(AdjointKernel &of, Value number, ValueRange states,
                                         ValueRange adjoints) {
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Value size = builder.index(chunk_), first = builder.multiply(number, size);
  if (together_ == chunk_)
    return gradients(of, first, states, adjoints);
  Value end = builder.minimum(builder.subtract(kernel.walk.tokens, first), size);
  Walk ofStates = kernel.walk.ofStates();
  auto place = [&](Value at) { return SmallVector<Value>{ofStates.batch, ofStates.head, at}; };
  auto keep = [&](Value at, ValueRange states) -> FailureOr<Carried> {
    store(builder, states, states_memory_, place(at));
    return next(of, builder.add(first, at), states);
  };
  Value begin = builder.index(0), one = builder.index(1);
  if (failed(loopOver(builder, begin, end, one, states, keep)))
    return failure();
  return loopOver(builder, begin, end, one, adjoints, [&](Value index, ValueRange adjoints) {
    Value at = builder.subtract(builder.subtract(end, one), index);
    return gradients(of, builder.add(first, at), load(builder, states_memory_, place(at)), adjoints);
  });
}

FailureOr<LaunchPlan> AdjointWalk::deriveGradients() {
  AdjointKernel of(op_, view_, program_, "adjoint", together_);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_);
  SmallVector<Value> memory = argumentsOf(kernel, entries_);
  states_memory_ = argumentsOf(kernel, states_);
  // The chunks are those of the first kernel: the short one is the last of the sequence, and comes first
  // here.
  Value more = builder.add(kernel.walk.tokens, builder.index(chunk_ - 1));
  Value chunks = arith::DivUIOp::create(builder, more, builder.index(chunk_));
  auto back = [&](Value index, ValueRange adjoints) {
    Value number = builder.subtract(builder.subtract(chunks, builder.index(1)), index);
    return walkBack(of, number, load(builder, memory, placeOf(kernel, number)), adjoints);
  };
  FailureOr<Carried> adjoints =
      loopOver(builder, builder.index(0), chunks, builder.index(1), of.finalCotangents(), back);
  if (failed(adjoints))
    return failure();
  of.storeInitGradients(*adjoints);
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
