#include "models/decoder/rotary.h"
#include <algorithm>
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

/// Rows of the table, which reaches beyond `needed`; of positions that follow each other without a copy.
Rotary::Table Rotary::known(const torch::Tensor &positions, std::int64_t needed, torch::Device device) const {
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
  if (first >= 0 && torch::equal(positions, torch::arange(first, needed, torch::kInt64)))
    return {whole.cosines.narrow(0, first, count), whole.sines.narrow(0, first, count)};
  const torch::Tensor there = positions.to(device);
  return {whole.cosines.index_select(0, there), whole.sines.index_select(0, there)};
}

torch::Tensor Rotary::apply(const torch::Tensor &x, const torch::Tensor &positions) const {
  if (positions.numel() == 0)
    return x;
  std::int64_t needed = positions.max().item<std::int64_t>() + 1;
  bool depends_on_length =
      scaling_.type == RotaryScalingType::dynamic && static_cast<double>(needed) > scaling_.original_length;
  Table table;
  if (depends_on_length)
    table = tableOf(positions, needed);
  else
    table = known(positions, needed, x.device());
  auto cosines = table.cosines.to(x.device()).unsqueeze(1),
       sines = table.sines.to(x.device()).unsqueeze(1); // [N, 1, D/2] against [B, N, H, D/2]
  auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cosines - halves[1] * sines, halves[1] * cosines + halves[0] * sines}, -1);
}

} // namespace linmu::models
