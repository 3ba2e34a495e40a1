#include "models/decoder/linear_weight.h"
#include <ATen/Parallel.h>
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace linmu::models {
namespace {

// Up to here the product with packed weights is faster than unpacking them.
constexpr std::int64_t fewTokens = 16;
// Values that are unpacked at a time: what the second-level caches of a few cores hold.
constexpr std::int64_t unpackedValues = 1 << 20;
// The library takes multiples of this many rows, and packs 64 at most together.
constexpr std::int64_t rowsOfPack = 16, rowsAtOnce = 64;
constexpr std::int64_t innerTiles = 1; ///< of the library's layout; CPUs have no use for more

/// Which four bits of the whole numbers a plane has: n = ((q >> shift) & 15) ^ flipped, which stands for
/// weight * scale * (n - 8) + offset.
struct PlaneBits {
  int shift, flipped;
  float weight;
  bool offset; ///< the plane that has the group's offset
};

/// Nibbles of rows [begin, end), [rows, in] int32; their scales and offsets go into [in / 32, out, 2] bf16.
torch::Tensor nibblesOf(const PackedRows &rows, const PlaneBits &bits, std::int64_t begin, std::int64_t end,
                        c10::BFloat16 *scales_and_offsets) {
  const std::int64_t columns = rows.columns(), groups = columns / PackedRows::groupSize;
  torch::Tensor nibbles = torch::empty({end - begin, columns}, torch::kInt32);
  auto *to = nibbles.data_ptr<std::int32_t>();
  for (std::int64_t row = begin; row < end; ++row)
    for (std::int64_t group = 0; group < groups; ++group) {
      PackedGroup each = rows.groupOf(row, group);
      for (std::int8_t quant : each.quants)
        *to++ = ((quant >> bits.shift) & 15) ^ bits.flipped;
      c10::BFloat16 *pair = scales_and_offsets + (group * rows.rows() + row) * 2;
      pair[0] = each.scale * bits.weight;
      pair[1] = bits.offset ? each.offset + 8 * each.scale : 0;
    }
  return nibbles;
}

} // namespace

LinearWeight::LinearWeight(PackedRows rows) : rows_(std::make_shared<const PackedRows>(std::move(rows))) {
  if (rows_->rows() % rowsOfPack != 0) {
    dense_ = unpacked(0, rows_->rows());
    rows_.reset();
    return;
  }
  auto add = [&](const PlaneBits &bits) {
    Plane plane{torch::empty({outputs(), inputs() / 2}, torch::kUInt8),
                torch::empty({inputs() / PackedRows::groupSize, outputs(), 2}, torch::kBFloat16)};
    auto *quants = plane.quants.data_ptr<std::uint8_t>();
    auto *scales = plane.scales_and_offsets.data_ptr<c10::BFloat16>();
    // Few rows at a time: the nibbles take eight times their memory.
    at::parallel_for(
        0, (outputs() + rowsAtOnce - 1) / rowsAtOnce, 1, [&](std::int64_t first, std::int64_t last) {
          for (std::int64_t begin = first * rowsAtOnce; begin < std::min(last * rowsAtOnce, outputs());
               begin += rowsAtOnce) {
            std::int64_t end = std::min(begin + rowsAtOnce, outputs());
            torch::Tensor some = at::_convert_weight_to_int4pack_for_cpu(
                nibblesOf(*rows_, bits, begin, end, scales), innerTiles);
            std::memcpy(quants + begin * inputs() / 2, some.data_ptr<std::uint8_t>(), some.nbytes());
          }
        });
    planes_.push_back(std::move(plane));
  };
  if (rows_->type() == GgufTensorType::q8_0) {
    // q = 16 h + l with h from -8 to 7, which is stored as h + 8, and l from 0 to 15.
    add({.shift = 4, .flipped = 8, .weight = 16, .offset = false});
    add({.shift = 0, .flipped = 0, .weight = 1, .offset = true});
  } else
    add({.shift = 0, .flipped = 0, .weight = 1, .offset = true});
  rows_->leavePages();
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
    rows_->dequantizeRow(flat[i].item<std::int64_t>(),
                         {values.data_ptr<float>() + i * inputs(), static_cast<std::size_t>(inputs())});
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
