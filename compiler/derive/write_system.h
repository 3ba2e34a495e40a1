// The writes with feedback of a chunk: the solutions of a triangular system.
#pragma once
#include "compiler/derive/chunk_paths.h"

namespace linmu {

/// w = v + M (entry reads + T(scores) w) for those writes w that have feedback.
class WriteSystem {
public:
  WriteSystem(TileBuilder &builder, pattern::FormOp form, ChunkPaths &paths);

  /// The writes with feedback.
  llvm::ArrayRef<int64_t> fedBack() const { return fed_back_; }
  bool isFedBack(int64_t write) const { return llvm::is_contained(fed_back_, write); }
  /// sum_j M_ij scores_jl: what write l gives to write i, which has feedback, C x C; rows past the end take
  /// nothing.
  mlir::Value block(int64_t write, int64_t other);
  /// The blocks of the writes with feedback, by rows.
  llvm::ArrayRef<mlir::Value> blocks();
  /// `value` (or nothing) and what a write takes back of the state at the entry; rows past the end take
  /// nothing.
  mlir::Value addFeedback(mlir::Value value, int64_t write,
                          llvm::function_ref<mlir::Value(int64_t read)> entering);
  /// The writes with feedback, from what does not depend on them.
  llvm::SmallVector<mlir::Value> solve(mlir::ValueRange values);
  /// The inverse of the system: its m x m blocks, C x C, by rows.
  llvm::SmallVector<mlir::Value> inverse();
  /// Takes these blocks from elsewhere.
  void useInverse(llvm::ArrayRef<mlir::Value> blocks) { inverse_.assign(blocks.begin(), blocks.end()); }

private:
  /// The number of the write of a feedback term, and that of its read.
  int64_t writeOf(size_t term) { return form_.getFeedbackIndex()[2 * term]; }
  int64_t readOf(size_t term) { return form_.getFeedbackIndex()[2 * term + 1]; }

  TileBuilder &builder_;
  pattern::FormOp form_;
  ChunkPaths &paths_;
  llvm::SmallVector<int64_t> fed_back_;
  llvm::SmallVector<mlir::Value> blocks_;  ///< empty until asked for
  llvm::SmallVector<mlir::Value> inverse_; ///< empty unless taken from elsewhere
};

} // namespace linmu
