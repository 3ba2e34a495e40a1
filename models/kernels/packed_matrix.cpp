#include "models/kernels/packed_matrix.h"
#include "models/kernels/torch_threads.h"
#include "runtime/jit/compile.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <utility>

namespace linmu::models {
namespace {

// Fewer are not worth another thread.
constexpr std::int64_t fewestBlocks = 6;

Kernel kernelOf(std::int64_t groups, std::int64_t blocks, PackedWords words) {
  CompileOptions options;
  options.filename = "packed_product.mlir";
  return compile(packedProductPattern(groups, blocks, words), options);
}

} // namespace

PackedMatrix::PackedMatrix(std::int64_t outputs, std::int64_t inputs, PackedWords words,
                           const std::function<PackedGroup(std::int64_t, std::int64_t)> &groupOf)
    : outputs_(outputs), groups_(inputs / PackedGroup::size), words_(words) {
  const std::int64_t needed = (outputs + PackedWords::rows - 1) / PackedWords::rows;
  parts_ = std::clamp<std::int64_t>(needed / fewestBlocks, 1, at::get_num_threads());
  blocks_of_part_ = (needed + parts_ - 1) / parts_;
  kernel_ = kernelOf(groups_, blocks_of_part_, words);
  // Rows behind the last one are zero.
  quants_ = torch::zeros({blocks(), words.perGroup(), groups_, PackedWords::rows}, torch::kInt32);
  scales_ = torch::zeros({blocks(), groups_, PackedWords::rows}, torch::kFloat16);
  offsets_ = torch::zeros_like(scales_);
  onTorchThreads(needed, [&](std::int64_t block) { pack(block, groupOf); });
}

void PackedMatrix::pack(std::int64_t block,
                        const std::function<PackedGroup(std::int64_t, std::int64_t)> &groupOf) {
  constexpr int rows = PackedWords::rows;
  auto *quants = quants_.data_ptr<std::int32_t>();
  auto *scales = scales_.data_ptr<c10::Half>(), *offsets = offsets_.data_ptr<c10::Half>();
  for (int row = 0; row < rows && block * rows + row < outputs_; ++row)
    for (std::int64_t group = 0; group < groups_; ++group) {
      const PackedGroup each = groupOf(block * rows + row, group);
      const std::int64_t at = block * groups_ + group;
      scales[at * rows + row] = each.scale;
      offsets[at * rows + row] = each.offset;
      for (int word = 0; word < words_.perGroup(); ++word) {
        std::uint32_t bits = 0;
        for (int place = 0; place < words_.perWord(); ++place)
          bits |= std::uint32_t{each.quants[word * words_.perWord() + place]} << (place * words_.bits);
        quants[((block * words_.perGroup() + word) * groups_ + group) * rows + row] =
            static_cast<std::int32_t>(bits);
      }
    }
}

std::int64_t PackedMatrix::bytes() const {
  return static_cast<std::int64_t>(quants_.nbytes() + scales_.nbytes() + offsets_.nbytes());
}

/// [33, tokens, groups]: the operands x0 to x31 and sum of the pattern.
torch::Tensor PackedMatrix::slicesOf(const torch::Tensor &x) const {
  const std::int64_t tokens = x.size(0), size = tokens * groups_;
  torch::Tensor slices = torch::empty({PackedGroup::size + 1, tokens, groups_}, torch::kFloat32);
  const auto *from = x.data_ptr<float>();
  auto *to = slices.data_ptr<float>();
  for (std::int64_t at = 0; at < size; ++at) {
    float sum = 0;
    for (int e = 0; e < PackedGroup::size; ++e) {
      const float value = from[at * PackedGroup::size + e];
      sum += value;
      to[e * size + at] = value / words_.magnified(e % words_.perWord());
    }
    to[PackedGroup::size * size + at] = sum;
  }
  return slices;
}

/// The rows of `part` of `product` [1, tokens, blocks, 16].
void PackedMatrix::multiplyPart(std::int64_t part, const torch::Tensor &slices,
                                const torch::Tensor &product) const {
  constexpr std::int64_t rows = PackedWords::rows;
  const std::int64_t tokens = product.size(1), first = part * blocks_of_part_, words = words_.perGroup();
  std::vector<TensorView> operands;
  operands.reserve(static_cast<std::size_t>(PackedGroup::size + 1 + words + 2));
  TensorView view;
  view.rank = 4;
  view.sizes = {1, tokens, 1, groups_};
  view.strides = {tokens * groups_, groups_, groups_, 1};
  for (int i = 0; i <= PackedGroup::size; ++i) {
    view.data = slices.data_ptr<float>() + i * tokens * groups_;
    operands.push_back(view);
  }
  view.dtype = DType::i32;
  view.rank = 3;
  view.sizes = {blocks_of_part_, groups_, rows};
  view.strides = {groups_ * words * rows, rows, 1};
  for (std::int64_t word = 0; word < words; ++word) {
    view.data = quants_.data_ptr<std::int32_t>() + (first * words + word) * groups_ * rows;
    operands.push_back(view);
  }
  view.dtype = DType::f16;
  view.strides = {groups_ * rows, rows, 1};
  for (const torch::Tensor *numbers : {&scales_, &offsets_}) {
    view.data = numbers->data_ptr<c10::Half>() + first * groups_ * rows;
    operands.push_back(view);
  }
  view.data = product.data_ptr<float>() + first * rows;
  view.dtype = DType::f32;
  view.rank = 4;
  view.sizes = {1, tokens, blocks_of_part_, rows};
  view.strides = {tokens * blocks() * rows, blocks() * rows, rows, 1};
  (*kernel_)(operands, {&view, 1}, {.threads = 1});
}

std::vector<torch::Tensor> PackedMatrix::multiply(std::span<const PackedMatrix *const> matrices,
                                                  const torch::Tensor &x) {
  const std::int64_t tokens = x.size(0);
  torch::Tensor slices = matrices.front()->slicesOf(x.contiguous());
  std::vector<torch::Tensor> products;
  std::vector<std::pair<std::size_t, std::int64_t>> parts; // of which matrix, and which of it
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const PackedMatrix &each = *matrices[i];
    products.push_back(torch::empty({1, tokens, each.blocks(), PackedWords::rows}, torch::kFloat32));
    for (std::int64_t part = 0; part < each.parts_; ++part)
      parts.emplace_back(i, part);
  }
  onTorchThreads(static_cast<std::int64_t>(parts.size()), [&](std::int64_t at) {
    const auto [i, part] = parts[static_cast<std::size_t>(at)];
    matrices[i]->multiplyPart(part, slices, products[i]);
  });
  for (std::size_t i = 0; i < matrices.size(); ++i)
    products[i] = products[i]
                      .view({tokens, matrices[i]->blocks() * PackedWords::rows})
                      .narrow(1, 0, matrices[i]->outputs_);
  return products;
}

torch::Tensor PackedMatrix::multiply(const torch::Tensor &x) const {
  const PackedMatrix *self = this;
  return multiply({&self, 1}, x).front();
}

} // namespace linmu::models
