// Rotary position embedding (https://arxiv.org/abs/2104.09864), rotating the halves of a head as Hugging
// Face's Llama does: with angle a_i = p * theta^(-2i/D),
//   y_i = x_i cos a_i - x_{i+D/2} sin a_i,   y_{i+D/2} = x_{i+D/2} cos a_i + x_i sin a_i.
#pragma once
#include <cstdint>
#include <mutex>
#include <torch/torch.h>

namespace linmu::models {

/// Shared by the layers of a model; safe to use from several threads.
class Rotary {
public:
  Rotary(std::int64_t head_dim, double theta);

  /// x [B, N, H, D] rotated by `positions` [N] (int64, from 0).
  torch::Tensor apply(const torch::Tensor &x, const torch::Tensor &positions) const;

  std::int64_t headDim() const { return head_dim_; }
  double theta() const { return theta_; }

private:
  std::int64_t head_dim_;
  double theta_;
  mutable std::mutex mutex_;
  mutable torch::Tensor cosines_, sines_; ///< [positions so far, D/2]
};

} // namespace linmu::models
