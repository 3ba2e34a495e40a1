// The algebra of the gradients of one state and one chunk, without any access to memory.
//
// S is the state at the chunk's entry, D the gradient of the state at its exit. With the decays E from the
// entry to a read, X from a write to the exit, L from entry to exit and F between them, scores = R F K^T, and
// A = I - M scores as in the forward pass (state_chunk.h):
//   A^T dW = gW + (K X) D + scores^T gY     dY = gY + M^T dW     D at the entry = L D + (R E)^T dY
//   Z = dY W^T where the read sees the write     dR = (dY S^T) E + (Z F) K     dK = (W D^T) X + (Z F)^T R
//   dV = dW     dM_ij = dW_i . Y_j
// E, X and F stand on key columns, those of a decay by value on value columns. A decay's gradient at t is the
// sum of all that crosses t, and of nothing else, so that no terms cancel: entry to exit, entry to a read
// behind t, a write before t to the exit, and a write before t to a read behind it. So is that of a factor of
// the coupling of states (adjoint_coupling.h), whose E, X and F are factors of a token, or of two.
#pragma once
#include "compiler/derive/adjoint_keys.h"

namespace linmu {

/// Its parts may be asked for apart, in any order; what several of them need is computed once.
class AdjointChunk {
public:
  /// `states` is S and `adjoints` is D, K x V, of each of coupled states; next() has no use for S. Rows past
  /// the end of the reads must be zero.
  AdjointChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs, ChunkCotangents cotangents,
               mlir::ValueRange states, mlir::ValueRange adjoints);
  AdjointChunk(const AdjointChunk &) = delete;

  /// What the writes put into the state, and the gradients of that, C x V each, from elsewhere: then no
  /// system is solved here.
  void useWrites(llvm::ArrayRef<mlir::Value> writes, llvm::ArrayRef<mlir::Value> gradients) {
    writes_.use(writes, gradients);
  }
  /// The gradients of what the writes put into the state, C x V each.
  llvm::ArrayRef<mlir::Value> dWrites() { return writes_.dWrites(); }
  /// The gradient of a form's operand by its number: [C, K] or [C, V] of keys, values and decays by row or by
  /// value, [C] of a feedback factor, a scalar decay and a factor of the coupling.
  mlir::Value gradient(int64_t operand);
  /// D at the entry, K x V.
  llvm::SmallVector<mlir::Value> next();
  /// The forward pass of the chunk.
  StateChunk &forward() { return forward_; }

private:
  mlir::Value feedback(int64_t term);

  TileBuilder &builder_;
  pattern::FormOp form_;
  StateChunk forward_;
  AdjointWrites writes_;
  AdjointKeys keys_;
};

} // namespace linmu
