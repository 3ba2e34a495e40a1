// The algebra of one state and one chunk of C tokens, without any access to memory.
//
// With G the logarithms of the decay summed inside the chunk and T the strictly lower triangle,
//   scores_ji[t, s] = (r_j[t] . k_i[s]) exp(G[t] - G[s])      s <= t; an exclusive read: s < t and G[t - 1]
//   w = v + M (entry reads + T(scores) w)                     one triangular solve
//   y_j = exp(G) r_j S + sum_i scores_ji w_i
//   S' = exp(G_end) S + sum_i (exp(G_end - G) k_i)^T w_i
// A decay by value column has no place in the scores and scales what is multiplied with them, and the state's
// columns; there is no solve then. It may stand beside one by row: each axis of the state has its own
// factors.
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

  /// What the writes put into the state, C x V each. `state` is the one at the entry, K x V.
  llvm::ArrayRef<mlir::Value> writes(mlir::Value state);
  /// Takes what the writes put into the state, C x V each, from elsewhere.
  void useWrites(llvm::ArrayRef<mlir::Value> writes) { writes_.assign(writes.begin(), writes.end()); }
  /// What the state at the entry alone gives to read j, C x V.
  mlir::Value entry(int64_t read, mlir::Value state);
  /// Has the state at the entry, K x V, multiplied with all reads that `writes` and then `reads` ask for, one
  /// after the other: what they do with it then has nothing to wait for.
  void enter(llvm::ArrayRef<int64_t> reads, mlir::Value state);
  /// What read j sees, C x V.
  mlir::Value read(int64_t read, mlir::Value state);
  /// The state at the exit, K x V.
  mlir::Value next(mlir::Value state);
  /// What the chunk makes of a K x M matrix without writing any value: decay and feedback alone. Of the
  /// identity it makes the transition T of S' = T S + E.
  mlir::Value nextWithoutValues(mlir::Value matrix);
  /// i1: whether something that is not finite comes before a reset in this chunk, in `entering`, which are
  /// the state at the entry and what else is carried as it is. Products with decays of zero do not forget
  /// that. Null where nothing resets the state.
  mlir::Value remembersTooMuch(mlir::ValueRange entering);

private:
  using Value = mlir::Value;
  Value knownPart(int64_t write, Value state);

  TileBuilder &builder_;
  pattern::FormOp form_;
  ChunkPaths paths_;
  WriteSystem system_;
  llvm::SmallVector<Value> writes_; ///< empty until asked for
  llvm::DenseMap<int64_t, Value> entries_;
};

} // namespace linmu
