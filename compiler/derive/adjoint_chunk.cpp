#include "compiler/derive/adjoint_chunk.h"
#include "compiler/derive/adjoint_coupling.h"
#include "compiler/derive/adjoint_decays.h"

using namespace mlir;
using namespace linmu;

AdjointChunk::AdjointChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs,
                           ChunkCotangents cotangents, ValueRange states, ValueRange adjoints)
    : builder_(builder), form_(form), forward_(builder, form, std::move(inputs)),
      writes_(builder, form, forward_, std::move(cotangents), states, adjoints), keys_(builder, writes_) {}

/// dW_i . Y_j
Value AdjointChunk::feedback(int64_t term) {
  int64_t write = form_.getFeedbackIndex()[2 * term], read = form_.getFeedbackIndex()[2 * term + 1];
  Value written = writes_.dWrites()[write];
  return builder_.sum(builder_.multiply(written, forward_.read(read, writes_.states())), 1);
}

Value AdjointChunk::gradient(int64_t operand) {
  int64_t reads = form_.getReads().size(), writes = form_.getWrites().size();
  if (form_.getDecay() && operand-- == 0)
    return forward_.paths().decay().isScalar()
               ? scalarDecayGradient(builder_, writes_, keys_)
               : axisDecayGradient(builder_, writes_, keys_, /*byValue=*/false);
  if (form_.getValueDecay() && operand-- == 0)
    return axisDecayGradient(builder_, writes_, keys_, /*byValue=*/true);
  if (operand < reads)
    return keys_.readKey(operand);
  operand -= reads;
  if (operand < writes)
    return keys_.writeKey(operand);
  operand -= writes;
  if (operand < writes)
    return writes_.dWrites()[operand];
  operand -= writes;
  if (operand < int64_t(form_.getFeedback().size()))
    return feedback(operand);
  return couplingGradient(builder_, form_, operand - form_.getFeedback().size(), writes_, keys_);
}

SmallVector<Value> AdjointChunk::next() {
  ChunkPaths &paths = forward_.paths();
  SmallVector<Value> results = paths.left(writes_.adjoints(), /*transposed=*/true);
  if (ChunkCoupling &coupling = paths.coupling()) {
    for (int64_t read = 0; read < writes_.countReads(); ++read)
      for (int64_t q = 0; q < coupling.states(); ++q)
        if (Value given = writes_.dRead(read); given && paths.seesState(read, q))
          results[q] =
              builder_.dot(paths.enteredKey(read, q), given, {.transpose_lhs = true, .init = results[q]});
    return results;
  }
  Value result = results.front();
  for (int64_t read = 0; read < writes_.countReads(); ++read)
    if (Value given = writes_.dRead(read)) {
      bool inclusive = writes_.inclusive(read);
      Value key = entered(builder_, paths.decay(), paths.inputs().reads[read], inclusive);
      Value value = entered(builder_, paths.valueDecay(), given, inclusive);
      result = builder_.dot(key, value, {.transpose_lhs = true, .init = result});
    }
  return {result};
}
