#include "models/decoder/rotary.h"
#include "models/decoder/few_rows.h"
#include <algorithm>
#include <span>
#include <utility>

namespace linmu::models {

Rotary::Rotary(std::int64_t head_dim, double theta, RotaryScaling scaling)
    : head_dim_(head_dim), theta_(theta), scaling_(std::move(scaling)) {}

Rotary::Table Rotary::tableOf(const torch::Tensor &positions, std::int64_t tokens) const {
  // Frequencies and angles are f32, as models are trained with. The functions are taken in f64: in f32
  // they differ by some units in the last place with the alignment of their memory, and position 700
  // multiplies that.
  auto frequencies = torch::tensor(rotaryFrequencies(head_dim_, theta_, scaling_, tokens), torch::kFloat64);
  auto angles = torch::outer(positions.to(torch::kFloat32), frequencies.to(torch::kFloat32));
  angles = angles.to(torch::kFloat64);
  auto valuesOf = [&](const torch::Tensor &values) {
    return (values * scaling_.amplitude).to(torch::kFloat32);
  };
  return {valuesOf(angles.cos()), valuesOf(angles.sin())};
}

/// Rows of the table, which reaches beyond `needed`; of `consecutive` positions without a copy.
Rotary::Table Rotary::known(const torch::Tensor &positions, std::int64_t needed, bool consecutive,
                            torch::Device device) const {
  std::lock_guard lock(mutex_);
  // What inference makes, autograd does not keep.
  torch::InferenceMode ordinary(false);
  if (std::int64_t length = table_.cosines.defined() ? table_.cosines.size(0) : 0; needed > length) {
    table_ = tableOf(torch::arange(std::max(needed, 2 * length), torch::kInt64), 0);
    placed_ = {};
  }
  if (!device.is_cpu() && !(placed_.cosines.defined() && placed_.cosines.device() == device))
    placed_ = {table_.cosines.to(device), table_.sines.to(device)};
  const Table &whole = device.is_cpu() ? table_ : placed_;
  const std::int64_t count = positions.numel(), first = needed - count;
  if (consecutive)
    return {whole.cosines.narrow(0, first, count), whole.sines.narrow(0, first, count)};
  const torch::Tensor there = positions.to(device);
  return {whole.cosines.index_select(0, there), whole.sines.index_select(0, there)};
}

torch::Tensor Rotary::apply(const torch::Tensor &x, const torch::Tensor &positions) const {
  if (positions.numel() == 0)
    return x;
  const torch::Tensor row = positions.contiguous();
  const std::span<const std::int64_t> all{row.data_ptr<std::int64_t>(),
                                          static_cast<std::size_t>(row.numel())};
  const std::int64_t needed = std::ranges::max(all) + 1;
  // Each the one before and one.
  const bool consecutive =
      std::ranges::adjacent_find(all, [](auto a, auto b) { return b != a + 1; }) == all.end();
  bool depends_on_length =
      scaling_.type == RotaryScalingType::dynamic && static_cast<double>(needed) > scaling_.original_length;
  Table table;
  if (depends_on_length)
    table = tableOf(positions, needed);
  else
    table = known(positions, needed, consecutive, x.device());
  if (isFewRows(x))
    return rotatedRows(x, table.cosines, table.sines);
  auto cosines = table.cosines.to(x.device()).unsqueeze(1),
       sines = table.sines.to(x.device()).unsqueeze(1); // [N, 1, D/2] against [B, N, H, D/2]
  auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cosines - halves[1] * sines, halves[1] * cosines + halves[0] * sines}, -1);
}

} // namespace linmu::models
