// The weight of a linear map, in f32 or packed.
#pragma once
#include "models/io/packed_rows.h"
#include "models/kernels/packed_matrix.h"
#include <cstdint>
#include <memory>
#include <torch/torch.h>

namespace linmu::models {

/// W [out, in] of y = x W^T. Copies share the memory.
///
/// Packed weights stay a few bits each: few tokens at a time, as in decoding, which is bound by the bytes of
/// the weights, are multiplied by PackedMatrix. Many tokens at a time, as in prefill, are bound by
/// arithmetic: some rows after the others are unpacked from the file to f32. Both compute in f32 with the
/// exact weights.
class LinearWeight {
public:
  LinearWeight() = default;
  /// [out, in] f32. Implicit, so that a tensor is a weight.
  LinearWeight(torch::Tensor dense) : dense_(std::move(dense)) {}
  /// Rows whose scales or offsets f16 does not hold are unpacked. Throws like PackedMatrix.
  explicit LinearWeight(PackedRows rows);

  std::int64_t outputs() const { return rows_ ? rows_->rows() : dense_.size(0); }
  std::int64_t inputs() const { return rows_ ? rows_->columns() : dense_.size(1); }
  /// In memory, beside the file.
  std::int64_t bytes() const;

  /// x [..., in] f32 to [..., out] f32.
  torch::Tensor multiply(const torch::Tensor &x, const torch::Tensor &bias = {}) const;
  /// Rows [ids.., in] of the weight, as an embedding has them; ids int64 in range.
  torch::Tensor rowsOf(const torch::Tensor &ids) const;
  /// [out, in] f32; of packed weights a new tensor.
  torch::Tensor dense() const;

private:
  torch::Tensor multiplyMany(const torch::Tensor &x) const;
  torch::Tensor unpacked(std::int64_t begin, std::int64_t end) const;

  torch::Tensor dense_;
  std::shared_ptr<const PackedRows> rows_;     ///< null for f32
  std::shared_ptr<const PackedMatrix> matrix_; ///< null for f32
};

} // namespace linmu::models
