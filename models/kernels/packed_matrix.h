// A matrix whose weights stay a few bits each, and products with it.
#pragma once
#include "models/io/packed_group.h"
#include "models/kernels/packed_product_pattern.h"
#include "runtime/core/kernel.h"
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// W [out, in] of y = x W^T. Copies share the memory. Products are those of the exact weights, with
/// activations and sums in f32, by a kernel that LinMU's compiler derives from packedProductPattern().
class PackedMatrix {
public:
  /// `groupOf(row, group)` is asked for every group of every row once, by several threads; its quants are
  /// below 2^bits, its scale and offset numbers of f16. `inputs` is a multiple of 32. Compiles the kernel of
  /// this shape, or takes it from the cache; throws like linmu::compile().
  PackedMatrix(std::int64_t outputs, std::int64_t inputs, PackedWords words,
               const std::function<PackedGroup(std::int64_t row, std::int64_t group)> &groupOf);

  std::int64_t outputs() const { return outputs_; }
  std::int64_t inputs() const { return groups_ * PackedGroup::size; }
  std::int64_t bytes() const; ///< of memory

  /// x [tokens, in] to [tokens, out], f32. Each token reads the whole matrix.
  torch::Tensor multiply(const torch::Tensor &x) const;
  /// The same with each of `matrices`, all of which read alike. Threads are sent to work once, which beside
  /// other programs is what decoding waits for.
  static std::vector<torch::Tensor> multiply(std::span<const PackedMatrix *const> matrices,
                                             const torch::Tensor &x);
  /// Whether the two take the same x, and cut it in the same way.
  bool readsAs(const PackedMatrix &other) const {
    return groups_ == other.groups_ && words_.bits == other.words_.bits;
  }

private:
  void pack(std::int64_t block, const std::function<PackedGroup(std::int64_t, std::int64_t)> &groupOf);
  torch::Tensor slicesOf(const torch::Tensor &x) const;

  std::int64_t blocks() const { return parts_ * blocks_of_part_; }
  void multiplyPart(std::int64_t part, const torch::Tensor &slices, const torch::Tensor &product) const;

  std::int64_t outputs_, groups_;
  PackedWords words_;
  std::int64_t parts_, blocks_of_part_; ///< a part is what one of torch's threads multiplies
  torch::Tensor quants_;           ///< [blocks, words of a group, groups, 16] int32: in the order of reading
  torch::Tensor scales_, offsets_; ///< [blocks, groups, 16] f16
  std::optional<Kernel> kernel_;   ///< of a part
};

} // namespace linmu::models
