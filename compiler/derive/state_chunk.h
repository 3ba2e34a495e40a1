// The algebra of one state, or of coupled ones, and one chunk of C tokens, without any access to memory.
//
// With G the logarithms of the decay summed inside the chunk and T the strictly lower triangle,
//   scores_ji[t, s] = (r_j[t] . k_i[s]) exp(G[t] - G[s])      s <= t; an exclusive read: s < t and G[t - 1]
//   w = v + M (entry reads + T(scores) w)                     one triangular solve
//   y_j = exp(G) r_j S + sum_i scores_ji w_i
//   S' = exp(G_end) S + sum_i (exp(G_end - G) k_i)^T w_i
// A decay by value column has no place in the scores and scales what is multiplied with them, and the state's
// columns; there is no solve then. It may stand beside one by row: each axis of the state has its own
// factors. Between coupled states all factors are products of the matrices that mix them (chunk_coupling.h).
#pragma once
#include "compiler/derive/write_system.h"

namespace linmu {

/// Its parts may be asked for apart, in any order; what several of them need is computed once.
class StateChunk {
public:
  StateChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs);
  StateChunk(const StateChunk &) = delete;

  /// What no state has a part in.
  ChunkPaths &paths() { return paths_; }
  WriteSystem &system() { return system_; }

  /// What the writes put into the state, C x V each. `states` are those at the entry, K x V: one, or the
  /// coupled ones.
  llvm::ArrayRef<mlir::Value> writes(mlir::ValueRange states);
  /// Takes what the writes put into the state, C x V each, from elsewhere.
  void useWrites(llvm::ArrayRef<mlir::Value> writes) { writes_.assign(writes.begin(), writes.end()); }
  /// What the state at the entry alone gives to read j, C x V.
  mlir::Value entry(int64_t read, mlir::ValueRange states);
  /// Has the state at the entry, K x V, multiplied with all reads that `writes` and then `reads` ask for, one
  /// after the other: what they do with it then has nothing to wait for.
  void enter(llvm::ArrayRef<int64_t> reads, mlir::ValueRange states);
  /// What read j sees, C x V.
  mlir::Value read(int64_t read, mlir::ValueRange states);
  /// The states at the exit, K x V.
  llvm::SmallVector<mlir::Value> next(mlir::ValueRange states);
  /// What the chunk makes of K x M matrices without writing any value: decay and feedback alone. Of the
  /// identity it makes the transition T of S' = T S + E.
  llvm::SmallVector<mlir::Value> nextWithoutValues(mlir::ValueRange matrices);
  /// i1: whether something that is not finite comes before a reset in this chunk, in `entering`, which are
  /// the state at the entry and what else is carried as it is. Products with decays of zero do not forget
  /// that. Null where nothing resets the state.
  mlir::Value remembersTooMuch(mlir::ValueRange entering);

private:
  using Value = mlir::Value;
  Value resets();
  Value knownPart(int64_t write, mlir::ValueRange states);

  TileBuilder &builder_;
  pattern::FormOp form_;
  ChunkPaths paths_;
  WriteSystem system_;
  llvm::SmallVector<Value> writes_; ///< empty until asked for
  llvm::DenseMap<int64_t, Value> entries_;
};

} // namespace linmu
