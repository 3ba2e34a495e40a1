// The weight of a linear map: a tensor, or packed.
#pragma once
#include "models/io/packed_rows.h"
#include "models/io/weight_reader.h"
#include "models/kernels/packed_matrix.h"
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// W [out, in] of y = x W^T, in one of two forms. Copies share the memory.
///
/// A tensor is f32, on any device and under autograd: what a trainer trains, adapters are put on and files
/// are written of.
///
/// Packed weights stay a few bits each, on the CPU and without gradients: few tokens at a time, as in
/// decoding, which is bound by the bytes of the weights, are multiplied by PackedMatrix. Many tokens at a
/// time, as in prefill, are bound by arithmetic: some rows after the others are unpacked from the file to
/// f32. Both compute in f32 with the exact weights.
class LinearWeight {
public:
  LinearWeight() = default;
  /// [out, in] f32. Implicit, so that a tensor is a weight.
  LinearWeight(torch::Tensor tensor) : tensor_(std::move(tensor)) {}
  /// Rows whose scales or offsets f16 does not hold are unpacked. Throws like PackedMatrix.
  explicit LinearWeight(PackedRows rows);
  /// Packed where `weights` has it so. Throws as WeightReader::take.
  static LinearWeight take(WeightReader &weights, const std::string &name, std::vector<std::int64_t> shape);

  bool isPacked() const { return rows_ != nullptr; }
  /// Whether the two are the same memory.
  bool isSame(const LinearWeight &other) const;
  std::int64_t outputs() const { return rows_ ? rows_->rows() : tensor_.size(0); }
  std::int64_t inputs() const { return rows_ ? rows_->columns() : tensor_.size(1); }
  /// In memory, beside the file.
  std::int64_t bytes() const;

  /// x [..., in] f32 to [..., out] f32. Packed weights require x on the CPU and throw Error(unsupported)
  /// where gradients of it are wanted.
  torch::Tensor multiply(const torch::Tensor &x, const torch::Tensor &bias = {}) const;
  struct Biased {
    const LinearWeight &weight;
    torch::Tensor bias = {}; ///< none where undefined
  };
  /// The same with each of `weights`, at once where they are packed alike and tokens are few.
  static std::vector<torch::Tensor> multiplyEach(std::initializer_list<Biased> weights,
                                                 const torch::Tensor &x);
  /// Rows [ids.., in] of the weight, as an embedding has them; ids int64 in range, on any device.
  torch::Tensor rowsOf(const torch::Tensor &ids) const;

  /// The tensor itself. Throws Error(unsupported) saying that `name` is packed, where it is.
  const torch::Tensor &tensor(std::string_view name = "a weight") const;
  /// The values [out, in] f32: the tensor itself, or of packed weights a new one.
  torch::Tensor dense() const;
  /// Lies on `device` from here on; packed weights become a tensor unless that is the CPU.
  void moveTo(torch::Device device);

private:
  torch::Tensor shaped(torch::Tensor product, const torch::Tensor &x, const torch::Tensor &bias) const;
  torch::Tensor multiplyMany(const torch::Tensor &x) const;
  torch::Tensor unpacked(std::int64_t begin, std::int64_t end) const;
  void requireNoGradients(const torch::Tensor &x) const;

  torch::Tensor tensor_;
  std::shared_ptr<const PackedRows> rows_;     ///< null for a tensor
  std::shared_ptr<const PackedMatrix> matrix_; ///< null for a tensor
};

} // namespace linmu::models
