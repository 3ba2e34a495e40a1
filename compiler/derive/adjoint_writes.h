// What is sent back to the reads and writes of a chunk, from which all other gradients follow.
#pragma once
#include "compiler/derive/state_chunk.h"

namespace linmu {

/// What is sent back to the reads and writes of a chunk, C x V each; null where nothing is.
struct ChunkCotangents {
  llvm::SmallVector<mlir::Value> reads, writes;
};

/// The gradients of what the writes put into the state and of what the reads see, C x V each:
///   A^T dW = gW + (K X) D + scores^T gY     dY = gY + M^T dW
class AdjointWrites {
public:
  /// `states` is S and `adjoints` is D, K x V each. The forward pass must outlive it.
  AdjointWrites(TileBuilder &builder, pattern::FormOp form, StateChunk &forward, ChunkCotangents cotangents,
                mlir::ValueRange states, mlir::ValueRange adjoints);

  StateChunk &forward() { return forward_; }
  ChunkPaths &paths() { return forward_.paths(); }
  mlir::ValueRange states() const { return states_; }
  mlir::ValueRange adjoints() const { return adjoints_; }
  /// Of states that are not coupled.
  mlir::Value state() const { return states_.front(); }
  mlir::Value adjoint() const { return adjoints_.front(); }
  int64_t countReads() { return form_.getReads().size(); }
  int64_t countWrites() { return form_.getWrites().size(); }
  bool inclusive(int64_t read) { return form_.getInclusive()[read]; }

  /// What the writes put into the state.
  llvm::ArrayRef<mlir::Value> writes() { return forward_.writes(states_); }
  /// Takes that and the gradients of it from elsewhere: then no system is solved here.
  void use(llvm::ArrayRef<mlir::Value> writes, llvm::ArrayRef<mlir::Value> gradients);
  llvm::ArrayRef<mlir::Value> dWrites();
  /// Null where nothing is sent back.
  mlir::Value dRead(int64_t read);
  /// What the state at the exit sends back to a write: (K X) D.
  mlir::Value fromExit(int64_t write);

private:
  mlir::Value knownOfWrite(int64_t write);

  TileBuilder &builder_;
  pattern::FormOp form_;
  StateChunk &forward_;
  ChunkCotangents cotangents_;
  llvm::SmallVector<mlir::Value> states_, adjoints_;
  llvm::SmallVector<mlir::Value> d_writes_;      ///< empty until asked for
  llvm::DenseMap<int64_t, mlir::Value> d_reads_; ///< null where nothing is sent back
};

/// Rows of keys or values times what is left of their axis, from the chunk's entry to a read or from a write
/// to the exit.
mlir::Value entered(TileBuilder &builder, const ChunkDecay &decay, mlir::Value rows, bool inclusive);
mlir::Value exiting(TileBuilder &builder, const ChunkDecay &decay, mlir::Value rows);

/// weights^T rows, with the decays by row or by value between the tokens of a read and those before it.
mlir::Value decayTransposed(TileBuilder &builder, const ChunkDecay &decay, mlir::Value weights,
                            mlir::Value rows, bool inclusive);

} // namespace linmu
