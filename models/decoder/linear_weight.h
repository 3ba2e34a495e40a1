// The weight of a linear map, in f32 or packed.
#pragma once
#include "models/io/packed_rows.h"
#include <cstdint>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// W [out, in] of y = x W^T. Copies share the memory.
///
/// Packed weights stay as their file has them. Few tokens at a time, as in decoding, which is bound by the
/// bytes of the weights, are multiplied by torch's product with 4-bit weights: groups of 32 of a scale and an
/// offset in bf16, activations in bf16, sums in f32. Q8_0 is two such weights, of the upper and the lower
/// four bits. Many tokens at a time, as in prefill, are bound by arithmetic: some rows after the others are
/// unpacked to f32.
class LinearWeight {
public:
  LinearWeight() = default;
  /// [out, in] f32. Implicit, so that a tensor is a weight.
  LinearWeight(torch::Tensor dense) : dense_(std::move(dense)) {}
  explicit LinearWeight(PackedRows rows);

  std::int64_t outputs() const { return dense_.defined() ? dense_.size(0) : rows_->rows(); }
  std::int64_t inputs() const { return dense_.defined() ? dense_.size(1) : rows_->columns(); }
  /// In memory, beside the file.
  std::int64_t bytes() const;

  /// x [..., in] f32 to [..., out] f32.
  torch::Tensor multiply(const torch::Tensor &x, const torch::Tensor &bias = {}) const;
  /// Rows [ids.., in] of the weight, as an embedding has them; ids int64 in range.
  torch::Tensor rowsOf(const torch::Tensor &ids) const;
  /// [out, in] f32; of packed weights a new tensor.
  torch::Tensor dense() const;

private:
  struct Plane {
    torch::Tensor quants, scales_and_offsets; ///< as aten's _weight_int4pack_mm_for_cpu takes them
  };
  torch::Tensor multiplyFew(const torch::Tensor &x) const;
  torch::Tensor multiplyMany(const torch::Tensor &x) const;
  torch::Tensor unpacked(std::int64_t begin, std::int64_t end) const;

  torch::Tensor dense_;
  std::shared_ptr<const PackedRows> rows_;
  std::vector<Plane> planes_;
};

} // namespace linmu::models
