#include "models/decoder/linear_weight.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <memory>
#include <utility>

namespace linmu::models {
namespace {

// Up to here the product with packed weights is faster than unpacking them.
constexpr std::int64_t fewTokens = 16;
// Values that are unpacked at a time: what the second-level caches of a few cores hold.
constexpr std::int64_t unpackedValues = 1 << 20;
// The library packs rows by as many.
constexpr std::int64_t rowsOfPack = 16;
constexpr std::int64_t innerTiles = 1; ///< of the library's layout; CPUs have no use for more

/// The 4-bit weights `nibble(q)` of all groups, w = scale * (n - 8) + offset.
struct Quants {
  torch::Tensor nibbles;            ///< [out, in] int32
  torch::Tensor scales_and_offsets; ///< [in / 32, out, 2] f32
};

Quants quantsOf(const PackedRows &rows, int shift, int mask, int added, float weight, bool offsets) {
  const std::int64_t groups = rows.columns() / PackedRows::groupSize;
  Quants result{torch::empty({rows.rows(), rows.columns()}, torch::kInt32),
                torch::empty({groups, rows.rows(), 2}, torch::kFloat32)};
  auto *nibbles = result.nibbles.data_ptr<std::int32_t>();
  auto *scales = result.scales_and_offsets.data_ptr<float>();
  at::parallel_for(0, rows.rows(), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t group = 0; group < groups; ++group) {
        PackedGroup each = rows.groupOf(row, group);
        std::int32_t *to = nibbles + row * rows.columns() + group * PackedRows::groupSize;
        for (int i = 0; i < PackedRows::groupSize; ++i)
          to[i] = ((each.quants[i] >> shift) & mask) ^ added;
        float *scale = scales + (group * rows.rows() + row) * 2;
        scale[0] = each.scale * weight;
        scale[1] = offsets ? each.offset + 8 * scale[0] : 0;
      }
  });
  return result;
}

} // namespace

LinearWeight::LinearWeight(PackedRows rows) : rows_(std::make_shared<const PackedRows>(std::move(rows))) {
  if (rows_->rows() % rowsOfPack != 0) {
    dense_ = unpacked(0, rows_->rows());
    rows_.reset();
    return;
  }
  auto add = [&](const Quants &quants) {
    planes_.push_back({at::_convert_weight_to_int4pack_for_cpu(quants.nibbles, innerTiles),
                       quants.scales_and_offsets.to(torch::kBFloat16)});
  };
  if (rows_->type() == GgufTensorType::q8_0) {
    // q = 16 h + l with h from -8 to 7, which is stored as h + 8, and l from 0 to 15.
    add(quantsOf(*rows_, 4, 15, 8, 16, false));
    add(quantsOf(*rows_, 0, 15, 0, 1, true));
  } else
    add(quantsOf(*rows_, 0, 15, 0, 1, true));
}

std::int64_t LinearWeight::bytes() const {
  std::int64_t sum = dense_.defined() ? static_cast<std::int64_t>(dense_.nbytes()) : 0;
  for (const Plane &plane : planes_)
    sum += static_cast<std::int64_t>(plane.quants.nbytes() + plane.scales_and_offsets.nbytes());
  return sum;
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

torch::Tensor LinearWeight::dense() const { return dense_.defined() ? dense_ : unpacked(0, outputs()); }

torch::Tensor LinearWeight::rowsOf(const torch::Tensor &ids) const {
  if (dense_.defined())
    return torch::embedding(dense_, ids);
  torch::Tensor flat = ids.reshape(-1).contiguous(), values = torch::empty({flat.numel(), inputs()});
  for (std::int64_t i = 0; i < flat.numel(); ++i)
    rows_->dequantizeRow(flat[i].item<std::int64_t>(), {values.data_ptr<float>() + i * inputs(),
                                                        static_cast<std::size_t>(inputs())});
  auto sizes = ids.sizes().vec();
  sizes.push_back(inputs());
  return values.view(sizes);
}

torch::Tensor LinearWeight::multiplyFew(const torch::Tensor &x) const {
  torch::Tensor narrowed = x.to(torch::kBFloat16), sum;
  for (const Plane &plane : planes_) {
    torch::Tensor product = at::_weight_int4pack_mm_for_cpu(narrowed, plane.quants, PackedRows::groupSize,
                                                            plane.scales_and_offsets)
                                .to(torch::kFloat32);
    sum = sum.defined() ? sum.add_(product) : product;
  }
  return sum;
}

torch::Tensor LinearWeight::multiplyMany(const torch::Tensor &x) const {
  const std::int64_t step = std::max<std::int64_t>(1, unpackedValues / inputs());
  if (outputs() <= step)
    return torch::linear(x, unpacked(0, outputs()));
  torch::Tensor product = torch::empty({x.size(0), outputs()}, torch::kFloat32);
  for (std::int64_t begin = 0; begin < outputs(); begin += step) {
    std::int64_t rows = std::min(step, outputs() - begin);
    product.narrow(1, begin, rows).copy_(torch::linear(x, unpacked(begin, begin + rows)));
  }
  return product;
}

torch::Tensor LinearWeight::multiply(const torch::Tensor &x, const torch::Tensor &bias) const {
  if (dense_.defined())
    return torch::linear(x, dense_, bias);
  torch::Tensor flat = x.reshape({-1, inputs()});
  torch::Tensor product = flat.size(0) <= fewTokens ? multiplyFew(flat) : multiplyMany(flat);
  if (bias.defined())
    product.add_(bias);
  auto sizes = x.sizes().vec();
  sizes.back() = outputs();
  return product.view(sizes);
}

} // namespace linmu::models
