// The gradients of a scan in normal form: a first kernel walks chunks of tokens for the states at their
// entries alone, a second walks back over them, from the last chunk to the first, with the gradient of the
// state in a tile. Inside a chunk it takes all tokens at once, or, token by token, first the states before
// each of them and then the walk back.
#include "compiler/derive/adjoint_chunk.h"
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
#include "compiler/derive/sequence_blocks.h"
#include "compiler/derive/stored_state.h"
#include "compiler/schedule/key_space.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace {

class AdjointKernels {
public:
  /// Works on `together` tokens of a chunk at once: all of them, or one.
  AdjointKernels(pattern::ScanAdjointOp op, const LoopView &view, int64_t chunk, int64_t together,
                 ProgramBuilder &program)
      : op_(op), form_(op.getForm()), view_(view), program_(program), blocks_(view, chunk),
        stored_(op.getStateSlice(), form_.getKeyAxis()), chunk_(chunk), together_(together) {
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
    auto type = RankedTensorType::get(
        {ShapedType::kDynamic, view_.heads, count, stored_.key_size, stored_.value_size},
        Float32Type::get(op_.getContext()));
    return program_.temporary(type, extents);
  }
  FailureOr<Value> walkBack(LoopKernel &kernel, Value number, Value state, Value adjoint);
  FailureOr<Value> gradients(LoopKernel &kernel, const TokenSpan &tokens, Value state, Value adjoint);
  FailureOr<Value> next(LoopKernel &kernel, const TokenSpan &tokens, Value state);
  /// What the stage gives for these tokens.
  FailureOr<ChunkInputs> inputsOf(LoopKernel &kernel, const TokenSpan &tokens);
  ChunkCotangents cotangentsOf(LoopKernel &kernel, Value rows);
  void storeGradient(LoopKernel &kernel, AdjointChunk &chunk, unsigned number, Value rows);
  void storeEachToken(LoopKernel &kernel, AdjointChunk &chunk, const TokenSpan &tokens);
  /// Where the state at the entry of the chunk of this number stands.
  SmallVector<Value> placeOf(LoopKernel &kernel, Value number) {
    return {kernel.walk.batch, kernel.walk.head, blocks_.placeOf(kernel, number)};
  }
  TokenSpan tokensAt(LoopKernel &kernel, Value first) {
    return {first, together_, kernel.builder.subtract(kernel.walk.tokens, first)};
  }

  pattern::ScanAdjointOp op_;
  pattern::FormOp form_;
  const LoopView &view_;
  ProgramBuilder &program_;
  SequenceBlocks blocks_;
  StoredState stored_;
  int64_t chunk_, together_;
  Value entries_; ///< of the chunks: [B, H, chunks, K, V], or of a ragged batch [1, H, places, K, V]
  Value states_;  ///< of the tokens of the chunk at hand, where they are taken one by one
  Value states_memory_;
  DenseMap<Value, Value> cotangents_; ///< the second kernel's arguments
};

} // namespace

/// A loop whose body gives what is carried next; what is carried behind it.
static FailureOr<Value> loopOver(TileBuilder &builder, Value begin, Value end, int64_t step, Value carried,
                                 function_ref<FailureOr<Value>(Value at, Value carried)> body) {
  auto loop = scf::ForOp::create(builder, begin, end, builder.index(step), ValueRange{carried});
  OpBuilder::InsertionGuard guard(builder);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  builder.setInsertionPointToEnd(block);
  FailureOr<Value> next = body(loop.getInductionVar(), loop.getRegionIterArg(0));
  if (failed(next))
    return failure();
  scf::YieldOp::create(builder, *next);
  return loop.getResult(0);
}

FailureOr<ChunkInputs> AdjointKernels::inputsOf(LoopKernel &kernel, const TokenSpan &tokens) {
  TileBuilder &builder = kernel.builder;
  StepEmitter step = kernel.startStep(tokens, &op_.getBody());
  if (failed(step.emit(op_.getBody())))
    return failure();
  builder.setLoc(form_.getLoc());
  Value live = builder.before(tokens.live, together_);
  ChunkInputs inputs = ChunkInputs::of(builder, form_, step, together_, live, 0, view_.tokens.size());
  // What is no token itself does not end with the tokens.
  for (auto [key, rows] : llvm::zip(form_.getReads(), inputs.reads))
    if (!isa<BlockArgument>(key))
      rows = builder.select(builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape()), rows,
                            builder.splat(rows.getType(), 0));
  return inputs;
}

/// The state behind these tokens.
FailureOr<Value> AdjointKernels::next(LoopKernel &kernel, const TokenSpan &tokens, Value state) {
  FailureOr<ChunkInputs> inputs = inputsOf(kernel, tokens);
  if (failed(inputs))
    return failure();
  return StateChunk(kernel.builder, form_, *inputs).next(state);
}

FailureOr<LaunchPlan> AdjointKernels::deriveStates() {
  LoopKernel kernel(program_, view_, "adjoint_states");
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_);
  Value memory = kernel.addMemory(entries_);
  Value init = view_.inits.empty() ? Value() : kernel.argument(view_.inits.front());
  auto enter = [&](Value first, Value state) -> FailureOr<Value> {
    Value number = arith::DivUIOp::create(builder, first, builder.index(chunk_));
    builder.store(state, memory, placeOf(kernel, number));
    if (together_ == chunk_)
      return next(kernel, tokensAt(kernel, first), state);
    Value end = builder.minimum(builder.add(first, builder.index(chunk_)), kernel.walk.tokens);
    return loopOver(builder, first, end, 1, state,
                    [&](Value at, Value state) { return next(kernel, tokensAt(kernel, at), state); });
  };
  Value initial = stored_.load(builder, kernel.walk, init, {});
  if (failed(loopOver(builder, builder.index(0), kernel.walk.tokens, chunk_, initial, enter)))
    return failure();
  return kernel.launch;
}

ChunkCotangents AdjointKernels::cotangentsOf(LoopKernel &kernel, Value rows) {
  TileBuilder &builder = kernel.builder;
  auto load = [&](Value value) -> Value {
    if (!value)
      return {};
    Value tile = kernel.walk.load(builder, cotangents_.at(value), rows);
    return rankOf(tile) == 1 ? builder.along(tile, 0, {together_, 1}) : tile;
  };
  ChunkCotangents cotangents;
  for (size_t read = 0; read < form_.getReads().size(); ++read)
    cotangents.reads.push_back(load(op_.getReadCotangent(read)));
  for (size_t write = 0; write < form_.getWrites().size(); ++write)
    cotangents.writes.push_back(load(op_.getWriteCotangent(write)));
  return cotangents;
}

void AdjointKernels::storeGradient(LoopKernel &kernel, AdjointChunk &chunk, unsigned number, Value rows) {
  Value output = view_.outputs[number];
  if (output.use_empty())
    return;
  Value gradient = chunk.gradient(number);
  if (!gradient)
    return;
  // What has no axis is [C, 1] in the algebra.
  if (isa<FloatType>(form_.getOperand(number).getType()) && rankOf(gradient) == 2)
    gradient = kernel.builder.sum(gradient, 1);
  kernel.storeOutput(output, gradient, rows);
}

/// Those that come token by token.
void AdjointKernels::storeEachToken(LoopKernel &kernel, AdjointChunk &chunk, const TokenSpan &tokens) {
  TileBuilder &builder = kernel.builder;
  Value live = builder.minimum(tokens.live, builder.index(together_));
  chunk.eachToken(live, [&](Value token, int64_t number, Value gradient) {
    Value row = kernel.walk.rowsOf(builder, {builder.add(tokens.first, token)});
    if (isa<FloatType>(form_.getOperand(number).getType()))
      gradient = builder.sum(gradient, 0);
    kernel.storeOutput(view_.outputs[number], gradient, row);
  });
}

/// Stores the gradients of these tokens; from the state before them and its gradient behind them to the
/// gradient of the state before them.
FailureOr<Value> AdjointKernels::gradients(LoopKernel &kernel, const TokenSpan &tokens, Value state,
                                           Value adjoint) {
  FailureOr<ChunkInputs> inputs = inputsOf(kernel, tokens);
  if (failed(inputs))
    return failure();
  Value rows = kernel.walk.rowsOf(kernel.builder, tokens);
  AdjointChunk chunk(kernel.builder, form_, *inputs, cotangentsOf(kernel, rows), state, adjoint);
  for (unsigned number = 0; number < view_.outputs.size(); ++number)
    storeGradient(kernel, chunk, number, rows);
  storeEachToken(kernel, chunk, tokens);
  return chunk.next();
}

/// The same of a chunk, by its number.
FailureOr<Value> AdjointKernels::walkBack(LoopKernel &kernel, Value number, Value state, Value adjoint) {
  TileBuilder &builder = kernel.builder;
  Value size = builder.index(chunk_), first = builder.multiply(number, size);
  if (together_ == chunk_)
    return gradients(kernel, tokensAt(kernel, first), state, adjoint);
  Value end = builder.minimum(builder.subtract(kernel.walk.tokens, first), size);
  Walk ofStates = kernel.walk.ofStates();
  auto place = [&](Value at) { return SmallVector<Value>{ofStates.batch, ofStates.head, at}; };
  auto keep = [&](Value at, Value state) -> FailureOr<Value> {
    builder.store(state, states_memory_, place(at));
    return next(kernel, tokensAt(kernel, builder.add(first, at)), state);
  };
  if (failed(loopOver(builder, builder.index(0), end, 1, state, keep)))
    return failure();
  return loopOver(builder, builder.index(0), end, 1, adjoint, [&](Value index, Value adjoint) {
    Value at = builder.subtract(builder.subtract(end, builder.index(1)), index);
    return gradients(kernel, tokensAt(kernel, builder.add(first, at)),
                     builder.load(states_memory_, place(at)), adjoint);
  });
}

FailureOr<LaunchPlan> AdjointKernels::deriveGradients() {
  LoopKernel kernel(program_, view_, "adjoint");
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_);
  Value memory = kernel.addMemory(entries_);
  if (states_)
    states_memory_ = kernel.addMemory(states_);
  for (auto cotangents : {op_.getReadCotangents(), op_.getWriteCotangents()})
    for (Value value : cotangents)
      if (Value &known = cotangents_[value]; !known)
        known = kernel.addMemory(program_.memory(value));
  Value last = op_.getFinalCotangent();
  if (last)
    last = kernel.addMemory(program_.memory(last));
  // The chunks are those of the first kernel: the short one is the last of the sequence, and comes first
  // here.
  Value more = builder.add(kernel.walk.tokens, builder.index(chunk_ - 1));
  Value chunks = arith::DivUIOp::create(builder, more, builder.index(chunk_));
  auto back = [&](Value index, Value adjoint) {
    Value number = builder.subtract(builder.subtract(chunks, builder.index(1)), index);
    return walkBack(kernel, number, builder.load(memory, placeOf(kernel, number)), adjoint);
  };
  FailureOr<Value> adjoint =
      loopOver(builder, builder.index(0), chunks, 1, stored_.load(builder, kernel.walk, last, {}), back);
  if (failed(adjoint))
    return failure();
  if (Value to = kernel.argument(op_.getInitGradient()))
    stored_.store(builder, kernel.walk, *adjoint, to, {});
  return kernel.launch;
}

FailureOr<OpPlan> linmu::deriveAdjoint(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                       ProgramBuilder &program) {
  LoopView view = LoopView::of(op);
  bool recurrent = schedule.algorithm == Algorithm::recurrent;
  AdjointKernels kernels(op, view, schedule.chunk, recurrent ? 1 : schedule.chunk, program);
  FailureOr<LaunchPlan> states = kernels.deriveStates();
  if (failed(states))
    return failure();
  FailureOr<LaunchPlan> gradients = kernels.deriveGradients();
  if (failed(gradients))
    return failure();
  OpSchedule described = recurrent ? OpSchedule{nameOf(Algorithm::recurrent), {}} : schedule.described();
  return OpPlan{described, {*states, *gradients}};
}
