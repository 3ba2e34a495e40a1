#include "models/decoder/rotary.h"
#include <algorithm>

namespace linmu::models {

Rotary::Rotary(std::int64_t head_dim, double theta) : head_dim_(head_dim), theta_(theta) {}

torch::Tensor Rotary::apply(const torch::Tensor &x, const torch::Tensor &positions) const {
  if (positions.numel() == 0)
    return x;
  torch::Tensor cosines, sines;
  {
    std::lock_guard lock(mutex_);
    std::int64_t needed = positions.max().item<std::int64_t>() + 1;
    if (std::int64_t known = cosines_.defined() ? cosines_.size(0) : 0; needed > known) {
      // Frequencies and angles are f32, as models are trained with. The functions are taken in f64: in f32
      // they differ by some units in the last place with the alignment of their memory, and position 700
      // multiplies that.
      auto exponents = torch::arange(0, head_dim_, 2, torch::kInt64).to(torch::kFloat64) / head_dim_;
      auto frequencies = torch::pow(theta_, -exponents).to(torch::kFloat32);
      auto angles = torch::outer(
          torch::arange(std::max(needed, 2 * known), torch::kInt64).to(torch::kFloat32), frequencies);
      angles = angles.to(torch::kFloat64);
      cosines_ = angles.cos().to(torch::kFloat32);
      sines_ = angles.sin().to(torch::kFloat32);
    }
    cosines = cosines_.index_select(0, positions).unsqueeze(1); // [N, 1, D/2] against x [B, N, H, D/2]
    sines = sines_.index_select(0, positions).unsqueeze(1);
  }
  auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cosines - halves[1] * sines, halves[1] * cosines + halves[0] * sines}, -1);
}

} // namespace linmu::models
