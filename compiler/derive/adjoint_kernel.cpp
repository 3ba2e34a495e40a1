#include "compiler/derive/adjoint_kernel.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;

FailureOr<ChunkInputs> AdjointKernel::inputs(const TokenSpan &tokens) {
  TileBuilder &builder = kernel.builder;
  StepEmitter step = kernel.startStep(tokens, &op_.getBody());
  if (failed(step.emit(op_.getBody())))
    return failure();
  builder.setLoc(form_.getLoc());
  Value live = isBefore(builder, tokens.live, together_);
  ChunkInputs inputs = ChunkInputs::of(builder, form_, step, together_, live, 0, kernel.view.tokens.size());
  // What is no token itself does not end with the tokens.
  for (auto [key, rows] : llvm::zip(form_.getReads(), inputs.reads))
    if (!isa<BlockArgument>(key))
      rows = builder.select(builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape()), rows,
                            builder.splat(rows.getType(), 0));
  return inputs;
}

/// C x V.
Value AdjointKernel::cotangent(Value value, Value rows) {
  if (!value)
    return {};
  Value &memory = cotangents_[value];
  if (!memory)
    memory = kernel.addMemory(program_.memory(value));
  TileBuilder &builder = kernel.builder;
  Value tile = kernel.walk.load(builder, memory, rows, stored.hasColumns() ? kernel.columns : ColumnSlice());
  return rankOf(tile) == 1 ? builder.along(tile, 0, {together_, 1}) : tile;
}

ChunkCotangents AdjointKernel::cotangents(const TokenSpan &tokens) {
  Value rows = kernel.walk.rowsOf(kernel.builder, tokens);
  ChunkCotangents cotangents;
  for (size_t read = 0; read < form_.getReads().size(); ++read)
    cotangents.reads.push_back(cotangent(op_.getReadCotangent(read), rows));
  for (size_t write = 0; write < form_.getWrites().size(); ++write)
    cotangents.writes.push_back(cotangent(op_.getWriteCotangent(write), rows));
  return cotangents;
}

std::unique_ptr<AdjointChunk> AdjointKernel::chunk(const TokenSpan &tokens, ValueRange states,
                                                   ValueRange adjoints) {
  FailureOr<ChunkInputs> inputs = this->inputs(tokens);
  if (failed(inputs))
    return nullptr;
  return std::make_unique<AdjointChunk>(kernel.builder, form_, *inputs, cotangents(tokens), states, adjoints);
}

void AdjointKernel::storeGradients(AdjointChunk &chunk, const TokenSpan &tokens) {
  TileBuilder &builder = kernel.builder;
  Value rows = kernel.walk.rowsOf(builder, tokens);
  // Those of decays last: they need a little of what each of the others is made of, which need not stay for
  // them.
  auto numbers = llvm::to_vector(llvm::seq<int64_t>(0, kernel.view.outputs.size()));
  int64_t decays = (form_.getDecay() ? 1 : 0) + (form_.getValueDecay() ? 1 : 0);
  std::rotate(numbers.begin(), numbers.begin() + decays, numbers.end());
  for (int64_t number : numbers) {
    Value output = kernel.view.outputs[number];
    if (output.use_empty())
      continue;
    Value gradient = chunk.gradient(number);
    // What has no axis is [C, 1] in the algebra.
    if (isa<FloatType>(form_.getOperand(number).getType()) && rankOf(gradient) == 2)
      gradient = builder.sum(gradient, 1);
    kernel.storeOutput(output, gradient, rows);
  }
}

SmallVector<Value> AdjointKernel::initialStates() {
  SmallVector<Value> states;
  for (unsigned state = 0; state < op_.getNumStates(); ++state) {
    Value init = op_.getInitOf(state);
    states.push_back(
        stored.load(kernel.builder, kernel.walk, init ? kernel.argument(init) : Value(), kernel.columns));
  }
  return states;
}

SmallVector<Value> AdjointKernel::finalCotangents() {
  SmallVector<Value> cotangents;
  for (unsigned state = 0; state < op_.getNumStates(); ++state) {
    Value last = op_.getFinalCotangentOf(state);
    Value memory = last ? kernel.addMemory(program_.memory(last)) : Value();
    cotangents.push_back(stored.load(kernel.builder, kernel.walk, memory, kernel.columns));
  }
  return cotangents;
}

void AdjointKernel::storeInitGradients(ValueRange adjoints) {
  for (auto [adjoint, gradient] : llvm::zip_equal(adjoints, op_.getInitGradients()))
    if (Value to = kernel.argument(gradient))
      stored.store(kernel.builder, kernel.walk, adjoint, to, kernel.columns);
}
