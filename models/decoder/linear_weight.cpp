#include "models/decoder/linear_weight.h"
#include "models/kernels/torch_threads.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <optional>
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
    tensor_ = unpacked(0, rows_->rows());
    matrix_.reset();
    rows_.reset();
    return;
  }
  rows_->leavePages();
}

LinearWeight LinearWeight::take(WeightReader &weights, const std::string &name,
                                std::vector<std::int64_t> shape) {
  std::optional<PackedRows> packed = weights.takePacked(name, shape);
  return packed ? LinearWeight(*std::move(packed)) : LinearWeight(weights.take(name, std::move(shape)));
}

bool LinearWeight::isSame(const LinearWeight &other) const {
  return rows_ || other.rows_ ? rows_ == other.rows_ : tensor_.is_same(other.tensor_);
}

std::int64_t LinearWeight::bytes() const {
  return matrix_ ? matrix_->bytes() : tensor_.defined() ? static_cast<std::int64_t>(tensor_.nbytes()) : 0;
}

torch::Tensor LinearWeight::unpacked(std::int64_t begin, std::int64_t end) const {
  torch::Tensor values = torch::empty({end - begin, rows_->columns()}, torch::kFloat32);
  auto *data = values.data_ptr<float>();
  const std::int64_t columns = rows_->columns();
  constexpr std::int64_t together = 16;
  onTorchThreads((end - begin + together - 1) / together, [&](std::int64_t part) {
    const std::int64_t first = begin + part * together, last = std::min(first + together, end);
    for (std::int64_t row = first; row < last; ++row)
      rows_->dequantizeRow(row, {data + (row - begin) * columns, static_cast<std::size_t>(columns)});
  });
  return values;
}

const torch::Tensor &LinearWeight::tensor(std::string_view name) const {
  if (rows_)
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: expected a tensor in f32, got weights packed in {} bits, which are neither "
                            "trained nor adapted nor exported",
                            name, rows_->bits()),
                "open the model with WeightForm::f32, which unpacks it");
  return tensor_;
}

torch::Tensor LinearWeight::dense() const { return rows_ ? unpacked(0, outputs()) : tensor_; }

void LinearWeight::moveTo(torch::Device device) {
  if (rows_ && device.is_cpu())
    return;
  *this = dense().to(device);
}

torch::Tensor LinearWeight::rowsOf(const torch::Tensor &ids) const {
  if (!rows_)
    return torch::embedding(tensor_, ids.to(tensor_.device()));
  torch::Tensor flat = ids.reshape(-1).cpu().contiguous(), values = torch::empty({flat.numel(), inputs()});
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

void LinearWeight::requireNoGradients(const torch::Tensor &x) const {
  if (torch::GradMode::is_enabled() && x.requires_grad())
    throw Error(ErrorCode::unsupported,
                fmt::format("a product with weights packed in {} bits: expected an input without gradients, "
                            "got one that requires them",
                            rows_->bits()),
                "open the model with WeightForm::f32, whose products have gradients");
}

/// `product` [tokens, out] in the shape that x has, with the bias.
torch::Tensor LinearWeight::shaped(torch::Tensor product, const torch::Tensor &x,
                                   const torch::Tensor &bias) const {
  if (bias.defined())
    product = product.add_(bias);
  auto sizes = x.sizes().vec();
  sizes.back() = outputs();
  return product.reshape(sizes);
}

std::vector<torch::Tensor> LinearWeight::multiplyEach(std::initializer_list<Biased> weights,
                                                      const torch::Tensor &x) {
  const LinearWeight &first = weights.begin()->weight;
  const bool together =
      x.numel() <= fewTokens * first.inputs() && std::ranges::all_of(weights, [&](const Biased &each) {
        const auto &matrix = each.weight.matrix_;
        return matrix && first.matrix_ && matrix->readsAs(*first.matrix_);
      });
  std::vector<torch::Tensor> products;
  if (!together) {
    for (const auto &[weight, bias] : weights)
      products.push_back(weight.multiply(x, bias));
    return products;
  }
  first.requireNoGradients(x);
  std::vector<const PackedMatrix *> matrices;
  for (const Biased &each : weights)
    matrices.push_back(each.weight.matrix_.get());
  products = PackedMatrix::multiply(matrices, x.reshape({-1, first.inputs()}));
  for (std::size_t i = 0; i < products.size(); ++i) {
    const auto &[weight, bias] = weights.begin()[i];
    products[i] = weight.shaped(products[i], x, bias);
  }
  return products;
}

torch::Tensor LinearWeight::multiply(const torch::Tensor &x, const torch::Tensor &bias) const {
  if (!rows_)
    return torch::linear(x, tensor_, bias);
  requireNoGradients(x);
  torch::Tensor flat = x.reshape({-1, inputs()});
  return shaped(flat.size(0) <= fewTokens ? matrix_->multiply(flat) : multiplyMany(flat), x, bias);
}

} // namespace linmu::models
