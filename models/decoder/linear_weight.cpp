#include "models/decoder/linear_weight.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <atomic>
#include <utility>

namespace linmu::models {
namespace {

// Up to here the product with packed weights is faster than unpacking them.
constexpr std::int64_t fewTokens = 8;
// Values that are unpacked at a time: what the second-level caches of a few cores hold.
constexpr std::int64_t unpackedValues = 1 << 20;

} // namespace

LinearWeight::LinearWeight(PackedRows rows) : rows_(std::make_shared<const PackedRows>(std::move(rows))) {
  std::atomic<bool> fits = true;
  matrix_ = std::make_shared<const PackedMatrix>(rows_->rows(), rows_->columns(), PackedWords{rows_->bits()},
                                                 [&](std::int64_t row, std::int64_t group) {
                                                   PackedGroup each = rows_->groupOf(row, group);
                                                   if (float(c10::Half(each.offset)) != each.offset)
                                                     fits = false;
                                                   return each;
                                                 });
  if (!fits) {
    dense_ = unpacked(0, rows_->rows());
    matrix_.reset();
    rows_.reset();
    return;
  }
  rows_->leavePages();
}

std::int64_t LinearWeight::bytes() const {
  return matrix_ ? matrix_->bytes() : dense_.defined() ? static_cast<std::int64_t>(dense_.nbytes()) : 0;
}

torch::Tensor LinearWeight::unpacked(std::int64_t begin, std::int64_t end) const {
  torch::Tensor values = torch::empty({end - begin, rows_->columns()}, torch::kFloat32);
  auto *data = values.data_ptr<float>();
  const std::int64_t columns = rows_->columns();
  at::parallel_for(begin, end, 16, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row)
      rows_->dequantizeRow(row, {data + (row - begin) * columns, static_cast<std::size_t>(columns)});
  });
  return values;
}

torch::Tensor LinearWeight::dense() const { return rows_ ? unpacked(0, outputs()) : dense_; }

torch::Tensor LinearWeight::rowsOf(const torch::Tensor &ids) const {
  if (!rows_)
    return torch::embedding(dense_, ids);
  torch::Tensor flat = ids.reshape(-1).contiguous(), values = torch::empty({flat.numel(), inputs()});
  const auto *numbers = flat.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < flat.numel(); ++i)
    rows_->dequantizeRow(numbers[i],
                         {values.data_ptr<float>() + i * inputs(), static_cast<std::size_t>(inputs())});
  auto sizes = ids.sizes().vec();
  sizes.push_back(inputs());
  return values.view(sizes);
}

torch::Tensor LinearWeight::multiplyMany(const torch::Tensor &x) const {
  const std::int64_t step = std::max<std::int64_t>(1, unpackedValues / inputs());
  torch::Tensor product;
  if (outputs() <= step)
    product = torch::linear(x, unpacked(0, outputs()));
  else {
    product = torch::empty({x.size(0), outputs()}, torch::kFloat32);
    for (std::int64_t begin = 0; begin < outputs(); begin += step) {
      std::int64_t rows = std::min(step, outputs() - begin);
      product.narrow(1, begin, rows).copy_(torch::linear(x, unpacked(begin, begin + rows)));
    }
  }
  rows_->leavePages();
  return product;
}

torch::Tensor LinearWeight::multiply(const torch::Tensor &x, const torch::Tensor &bias) const {
  if (!rows_)
    return torch::linear(x, dense_, bias);
  torch::Tensor flat = x.reshape({-1, inputs()});
  torch::Tensor product = flat.size(0) <= fewTokens ? matrix_->multiply(flat) : multiplyMany(flat);
  if (bias.defined())
    product = product.add_(bias);
  auto sizes = x.sizes().vec();
  sizes.back() = outputs();
  return product.reshape(sizes);
}

} // namespace linmu::models
