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
#include "compiler/derive/chunk_decay.h"
#include "compiler/derive/step_emitter.h"

namespace linmu {

/// What the stage of a state gives for the tokens of a chunk, one a row. Rows past the end neither decay nor
/// write: there g is 0, and so are the keys and, without feedback, the values.
struct ChunkInputs {
  llvm::SmallVector<mlir::Value> reads, keys; ///< C x K
  llvm::SmallVector<mlir::Value> values;      ///< C x V
  llvm::SmallVector<mlir::Value> feedback;    ///< C, one a term of the form
  mlir::Value logarithm, value_logarithm;     ///< null without decay, and without one by value
  mlir::Value sign, value_sign;               ///< null where that decay is not negative
  mlir::Value live;                           ///< C of i1

  /// From a stage that `step` has emitted. Of its arguments, those in [firstToken, endOfTokens) are tokens,
  /// whose rows past the end are zero.
  static ChunkInputs of(TileBuilder &builder, pattern::FormOp form, StepEmitter &step, int64_t chunk,
                        mlir::Value live, unsigned firstToken, unsigned endOfTokens);
};

/// Its parts may be asked for apart, in any order; what several of them need is computed once.
class StateChunk {
public:
  StateChunk(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs);

  /// What the writes put into the state, C x V each. `state` is the one at the entry, K x V.
  llvm::ArrayRef<mlir::Value> writes(mlir::Value state);
  /// What read j sees, C x V.
  mlir::Value read(int64_t read, mlir::Value state);
  /// Has the state at the entry, K x V, multiplied with all reads that `writes` and then `reads` ask for, one
  /// after the other: what they do with it then has nothing to wait for.
  void enter(llvm::ArrayRef<int64_t> reads, mlir::Value state);
  bool hasFeedback() const { return !fed_back_.empty(); }
  /// The state at the exit, K x V.
  mlir::Value next(mlir::Value state);
  /// What no state has a part in: the inverse of the system of the writes with feedback, its blocks row by
  /// row, the scores of each of `reads` with each write, C x C each; and of a scalar decay
  /// ChunkDecay::Prepared, C each.
  llvm::SmallVector<mlir::Value> prepare(llvm::ArrayRef<int64_t> reads);
  /// The types of what `prepare` gives in a chunk of C = `chunk`.
  static llvm::SmallVector<mlir::RankedTensorType>
  preparedTypes(pattern::FormOp form, llvm::ArrayRef<int64_t> reads, int64_t chunk);
  /// Takes what `prepare` gave elsewhere.
  void usePrepared(llvm::ArrayRef<int64_t> reads, mlir::ValueRange tiles);
  /// Takes what the writes put into the state, C x V each, from elsewhere.
  void useWrites(llvm::ArrayRef<mlir::Value> writes) { writes_.assign(writes.begin(), writes.end()); }
  /// The score of each token of read j against each of write i, C x C, zero where the read does not see the
  /// write; without a decay by value.
  mlir::Value scores(int64_t read, int64_t write);
  /// sum_j M_ij scores_jl: what write l gives to write i, which has feedback; rows past the end take nothing.
  mlir::Value system(int64_t write, int64_t other);
  /// The writes with feedback.
  llvm::ArrayRef<int64_t> fedBack() const { return fed_back_; }
  /// What the state at the entry alone gives to read j, C x V.
  mlir::Value entry(int64_t read, mlir::Value state);
  /// The inverse of the system of the writes with feedback: its m x m blocks, C x C, by rows.
  llvm::SmallVector<mlir::Value> inverse();
  const ChunkInputs &inputs() const { return inputs_; }
  /// The decay that stands on keys, and the one by value.
  const ChunkDecay &decay() const { return decay_; }
  const ChunkDecay &valueDecay() const { return value_decay_; }
  /// What the chunk makes of a K x M matrix without writing any value: decay and feedback alone. Of the
  /// identity it makes the transition T of S' = T S + E.
  mlir::Value nextWithoutValues(mlir::Value matrix);
  /// What is left of a K x V matrix over the chunk.
  mlir::Value left(mlir::Value state) {
    return value_decay_.left(builder_, decay_.left(builder_, state, 0), 1);
  }
  /// i1: whether something that is not finite comes before a reset in this chunk, in `entering`, which are
  /// the state at the entry and what else is carried as it is. Products with decays of zero do not forget
  /// that. Null where nothing resets the state.
  mlir::Value remembersTooMuch(mlir::ValueRange entering);

private:
  using Value = mlir::Value;
  bool inclusive(int64_t read) { return form_.getInclusive()[read]; }
  Value fromEntry(int64_t read, Value state);
  Value addFeedback(Value value, int64_t write, llvm::function_ref<Value(int64_t read)> entering);
  Value knownPart(int64_t write, Value state);
  llvm::SmallVector<Value> solve(mlir::ValueRange values);
  llvm::ArrayRef<Value> systems();
  Value exitOf(Value state, llvm::ArrayRef<std::pair<int64_t, Value>> writes);
  Value readWrite(int64_t read, int64_t write, Value sum);
  Value leastOfAll(const ChunkDecay &decay);
  Value alongRows(Value rows, int64_t columns) { return builder_.along(rows, 0, {chunk_, columns}); }

  TileBuilder &builder_;
  pattern::FormOp form_;
  ChunkInputs inputs_;
  ChunkDecay decay_, value_decay_;
  int64_t chunk_;
  llvm::SmallVector<int64_t> fed_back_; ///< writes with feedback
  llvm::SmallVector<Value> writes_;     ///< empty until asked for
  llvm::SmallVector<Value> systems_;    ///< of the writes with feedback; empty until asked for
  llvm::SmallVector<Value> inverses_;   ///< the same; empty unless prepared
  llvm::DenseMap<std::pair<int64_t, int64_t>, Value> scores_;
  llvm::DenseMap<int64_t, Value> entries_;
};

} // namespace linmu
