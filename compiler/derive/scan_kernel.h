// What the kernels of a normal_scan in chunks share: states from and to memory, one chunk.
#pragma once
#include "compiler/derive/chunk_stages.h"

namespace linmu {

/// A kernel under construction for a normal_scan in chunks.
class ScanKernel {
public:
  /// Starts the kernel; its grid and walk are the caller's.
  ScanKernel(pattern::NormalScanOp scan, const LoopView &view, ProgramBuilder &program, llvm::StringRef name,
             int64_t chunk);

  /// The states before the first token, as K x V tiles, or their slice of columns.
  llvm::SmallVector<mlir::Value> initialStates();
  mlir::Value initialState(unsigned state);
  void storeFinalStates(mlir::ValueRange states);

  /// The chunk whose first position is `first`: loads its tokens, stores its outputs where they are wanted,
  /// and gives what is carried, at its exit, where that is.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> chunk(mlir::Value first, mlir::ValueRange entering,
                                                        ChunkStages::Part part);

  /// A loop over the chunks of the positions [from, to), of all where they are null, with what is `carried`,
  /// at first that of `entry`; `body` gives what is carried next. Where a chunk remembers what is not finite
  /// over a reset (StateChunk::remembersTooMuch), all are walked again, then token by token.
  using ChunkBody = llvm::function_ref<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(
      mlir::Value first, mlir::ValueRange entering)>;
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  walkChunks(llvm::function_ref<llvm::SmallVector<mlir::Value>()> entry, ChunkBody body,
             mlir::Value from = {}, mlir::Value to = {});
  /// The whole walk token by token; `states` and what comes back are K x V tiles as in chunks.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> walkTokenByToken(mlir::ValueRange states);

  /// Walks the first `states` states alone, for their exits, and the transitions of those from `from` on.
  void carryOnly(unsigned states, unsigned from);

  pattern::NormalScanOp scan;
  LoopKernel kernel;
  llvm::SmallVector<StoredState> stored;
  /// Gives a stage's chunk that begins at `first` what a launch before this one made of it, if set.
  std::function<void(unsigned stage, mlir::Value first, StateChunk &)> take_prepared;
  CarriedParts carried; ///< all states, unless `carryOnly` says otherwise

private:
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> walkChunkExactly(const TokenSpan &tokens,
                                                                   mlir::ValueRange entering, bool outputs);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> loopOverChunks(mlir::ValueRange entering, ChunkBody body,
                                                                 mlir::Value from, mlir::Value to);
  llvm::SmallVector<unsigned> walkedByToken() const;

  int64_t chunk_;
  bool may_reset_ = false;
  bool exactly_ = false; ///< chunks are walked token by token
  mlir::Value doubt_;    ///< i1 of the last chunk: whether it remembers too much; null where none may
};

} // namespace linmu
