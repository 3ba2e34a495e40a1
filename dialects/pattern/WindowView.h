// What window_attention and window_adjoint have in common.
#pragma once
#include "dialects/pattern/Pattern.h"

namespace linmu::pattern {

struct WindowView {
  mlir::Operation *op = nullptr;
  mlir::Value query, key, value, media;
  llvm::ArrayRef<int64_t> window, shift; ///< (t, h, w)
  double scale = 1;
  bool join_wrapped = false;
  mlir::Region *score = nullptr; ///< empty where scores are products

  template <typename Op> static WindowView of(Op op) {
    return {op,
            op.getQuery(),
            op.getKey(),
            op.getValue(),
            op.getMedia(),
            op.getWindow(),
            op.getShift(),
            op.getScale().convertToDouble(),
            op.getJoinWrapped(),
            &op.getScore()};
  }
  mlir::Block *scoreBlock() const { return score->empty() ? nullptr : &score->front(); }
  /// Of the queries, and of the loop over heads.
  int64_t heads() const { return extentOf(query, 2); }
  int64_t keyHeads() const { return extentOf(key, 2); }
  int64_t valueHeads() const { return extentOf(value, 2); }
  int64_t keyFeatures() const { return extentOf(key, 3); }
  int64_t valueFeatures() const { return extentOf(value, 3); }
  /// Tokens of a whole window, at most 2^31 - 1.
  int64_t volume() const { return window[0] * window[1] * window[2]; }

private:
  static int64_t extentOf(mlir::Value operand, unsigned axis) {
    return mlir::cast<mlir::RankedTensorType>(operand.getType()).getDimSize(axis);
  }
};

} // namespace linmu::pattern
