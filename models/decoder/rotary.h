// Rotary position embedding (https://arxiv.org/abs/2104.09864), rotating the halves of a head as Hugging
// Face's Llama does: with angle a_i = p * f_i, where f_i is theta^(-2i/D) or scaled (rotary_scaling.h),
//   y_i = x_i cos a_i - x_{i+D/2} sin a_i,   y_{i+D/2} = x_{i+D/2} cos a_i + x_i sin a_i.
#pragma once
#include "models/io/rotary_scaling.h"
#include <cstdint>
#include <mutex>
#include <torch/torch.h>

namespace linmu::models {

/// Shared by the layers of a model; safe to use from several threads.
class Rotary {
public:
  Rotary(std::int64_t head_dim, double theta, RotaryScaling scaling = {});

  /// x [B, N, H, D], on any device, rotated by `positions` [N] (int64, from 0, on the CPU). Where the scaling
  /// is dynamic, the largest of them says how long the sequence is; what was rotated before stays as it was,
  /// as in transformers.
  torch::Tensor apply(const torch::Tensor &x, const torch::Tensor &positions) const;

  std::int64_t headDim() const { return head_dim_; }
  double theta() const { return theta_; }

private:
  struct Table {
    torch::Tensor cosines, sines; ///< [positions, D/2]
  };
  Table tableOf(const torch::Tensor &positions, std::int64_t tokens) const;
  Table known(const torch::Tensor &positions, std::int64_t needed, bool consecutive,
              torch::Device device) const;

  std::int64_t head_dim_;
  double theta_;
  RotaryScaling scaling_;
  mutable std::mutex mutex_;
  mutable Table table_;  ///< of the positions so far
  mutable Table placed_; ///< the same on the device that asked last, where that is not the CPU
};

} // namespace linmu::models
