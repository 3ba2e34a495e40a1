// What the interpreters of single ops share: extents of the call, tensors by value, work over threads.
#pragma once
#include "compiler/interpreter/HostTensor.h"
#include "compiler/interpreter/Step.h"
#include "llvm/ADT/DenseMap.h"
#include <array>

namespace linmu::interpreter {

/// The extents that all operands of a call agree on.
struct Call {
  std::int64_t batch = 1, tokens = 0;
  int threads = 1;
};

/// A tensor [batch, tokens, heads, features...] or [batch, heads, features...] seen as rows of features.
/// `batch` may be 1 for any batch. Not owned.
struct Rows {
  const HostTensor *tensor = nullptr;
  std::int64_t features = 1;

  /// `leading` axes come before the features.
  Rows(const HostTensor &tensor, unsigned leading);
  /// 1 for the axis of heads that a tensor [B, N] lacks: its scalars are shared by all heads.
  std::int64_t extent(unsigned axis) const { return axis < tensor->shape.size() ? tensor->shape[axis] : 1; }
  const double *at(std::int64_t batch, std::int64_t token, std::int64_t head) const {
    return row(batch * (extent(0) != 1), token * extent(2) + head, extent(1) * extent(2));
  }
  const double *at(std::int64_t batch, std::int64_t head) const {
    return row(batch * (extent(0) != 1), head, extent(1));
  }

private:
  const double *row(std::int64_t sequence, std::int64_t index, std::int64_t rowsPerSequence) const {
    return tensor->elements.data() + (sequence * rowsPerSequence + index) * features;
  }
};

/// Entry [batch, token] of a mask, segment ids or an order.
inline double entry(const HostTensor &tensor, std::int64_t batch, std::int64_t token) {
  return tensor.elements[batch * (tensor.shape[0] != 1) * tensor.shape[1] + token];
}

/// Zeros of the result's type, with the call's extents for the dynamic axes: batch, then tokens.
HostTensor zeros(mlir::Type type, const Call &call);

/// One row (first token, t, h, w) of a media table.
struct MediaItem {
  std::int64_t first = 0;
  std::array<std::int64_t, 3> extents{};
  std::int64_t volume() const { return extents[0] * extents[1] * extents[2]; }
  /// The token at a coordinate (t, y, x).
  std::int64_t token(std::array<std::int64_t, 3> at) const {
    return first + (at[0] * extents[1] + at[1]) * extents[2] + at[2];
  }
};

/// Rows without tokens are left out. Fails with a diagnostic at `op` for items outside [0, tokens) or over
/// each other.
mlir::FailureOr<std::vector<MediaItem>> mediaItems(mlir::Operation *op, const HostTensor &table,
                                                   const Call &call);

/// Fails with a diagnostic at `op` unless each row is a permutation of 0 .. tokens - 1.
mlir::LogicalResult checkOrder(mlir::Operation *op, const HostTensor &order, const Call &call);

/// Fails with a diagnostic at `op` unless the entries of a table of sequences go from 0 to the number of
/// tokens and none is below the one before.
mlir::LogicalResult checkSequences(mlir::Operation *op, const HostTensor &table, const Call &call);

/// A violation, and where it was found.
struct ViolationAt {
  Violation violation;
  std::int64_t token = 0;
  std::int64_t index = 0; ///< sequence * heads + head; set by parallelFor
};
mlir::LogicalResult emitViolation(const ViolationAt &at, std::int64_t heads);

/// Runs body(i) for i in [0, count) on several threads. `body` gives a violation to stop at; the one of the
/// smallest i comes back, whatever the number of threads.
std::optional<ViolationAt>
parallelFor(std::int64_t count, int threads,
            llvm::function_ref<std::optional<ViolationAt>(std::int64_t index)> body);

/// Interpreters of single ops: operands by value, results in order.
using Values = llvm::DenseMap<mlir::Value, HostTensor>;
mlir::FailureOr<std::vector<HostTensor>> evaluate(pattern::ScanOp op, const Values &values, const Call &call);
mlir::FailureOr<std::vector<HostTensor>> evaluate(pattern::MapOp op, const Values &values, const Call &call);
mlir::FailureOr<std::vector<HostTensor>> evaluate(pattern::ScanAdjointOp op, const Values &values,
                                                  const Call &call);
mlir::FailureOr<HostTensor> evaluate(pattern::TokenOrderOp op, const Values &values, const Call &call);
mlir::FailureOr<HostTensor> evaluate(pattern::PermuteOp op, const Values &values, const Call &call);
mlir::FailureOr<HostTensor> evaluate(pattern::WindowAttentionOp op, const Values &values, const Call &call);
mlir::FailureOr<std::vector<HostTensor>> evaluate(pattern::WindowAdjointOp op, const Values &values,
                                                  const Call &call);

mlir::FailureOr<HostTensor> evaluate(pattern::ReduceOp op, const Values &values, const Call &call);
mlir::FailureOr<HostTensor> evaluate(pattern::InnerProductOp op, const Values &values, const Call &call);

} // namespace linmu::interpreter
