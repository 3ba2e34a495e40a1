// Low-rank adapters of linear layers (LoRA, https://arxiv.org/abs/2106.09685; Eq. 12 of the paper).
#pragma once
#include <cstdint>
#include <torch/torch.h>

namespace linmu::distill {

/// W' = W + (alpha / r) B A of a frozen W [out, in].
struct Adapter {
  torch::Tensor a; ///< [r, in]
  torch::Tensor b; ///< [out, r]
  double scale = 1;

  /// A is drawn uniformly from within 1 / sqrt(in) of zero, B is zero: nothing changes yet. Requires
  /// 1 <= rank <= the smaller side of `weight`; Error(invalidArgument) otherwise.
  static Adapter of(const torch::Tensor &weight, std::int64_t rank, double alpha, at::Generator &generator);

  /// x W'^T without making W'.
  torch::Tensor apply(const torch::Tensor &x, const torch::Tensor &weight) const;
  /// W', a new tensor without gradients.
  torch::Tensor merged(const torch::Tensor &weight) const;
};

/// Of one layer's FFN.
struct FfnAdapters {
  Adapter gate, up, down;
};

} // namespace linmu::distill
