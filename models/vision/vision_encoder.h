// A vision transformer (https://arxiv.org/abs/2010.11929) whose attention stays within a time step, so that
// its cost is linear in the length of a video; mixing over time is the decoder's.
#pragma once
#include "models/io/weight_reader.h"
#include "models/vision/named_tensor.h"
#include "models/vision/vision_config.h"
#include <cstdint>
#include <memory>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// x += W_o softmax(q k^T / sqrt(D)) v + b_o,  (q, k, v) = W_qkv layerNorm(x) + b_qkv;
/// x += W_d gelu(W_u layerNorm(x) + b_u) + b_d.
struct VisionLayer {
  torch::Tensor attention_norm, attention_norm_bias; ///< [d]
  torch::Tensor qkv, qkv_bias;                       ///< [3 d, d], [3 d]
  torch::Tensor output, output_bias;                 ///< [d, d], [d]
  torch::Tensor mlp_norm, mlp_norm_bias;             ///< [d]
  torch::Tensor up, up_bias;                         ///< [intermediate, d], [intermediate]
  torch::Tensor down, down_bias;                     ///< [d, intermediate], [d]
};

/// A copy shares every weight.
class VisionEncoder {
public:
  /// Reads the tensors `vision.*`, f32. Throws Error(corruptFile) as WeightReader does.
  static VisionEncoder load(const VisionConfig &config, WeightReader &weights);

  const VisionConfig &config() const { return config_; }

  /// patches [B, t h w, features] in raster order t, y, x, to tokens [B, t h w, d], under autograd. The
  /// features of a patch are in the order channel, frame, row, column, as the weight of a 3-D convolution has
  /// them. Throws Error(invalidArgument) for a shape that does not fit.
  torch::Tensor forward(const torch::Tensor &patches, std::int64_t t, std::int64_t h, std::int64_t w) const;

  /// Every tensor, in one order.
  void eachTensor(const TensorVisitor &visit);

private:
  VisionConfig config_;
  torch::Tensor patch_, patch_bias_; ///< [d, features], [d]
  std::vector<VisionLayer> layers_;
  torch::Tensor norm_, norm_bias_; ///< [d]

  /// gridPositions() of the grids so far, on the devices that they were asked for on.
  struct Grids;
  std::shared_ptr<Grids> grids_;
};

/// What is added to the patch at (t, y, x): for each of the three coordinates p, in a third of the d features
/// each (what does not divide by six stays zero), sin(p f_i) and then cos(p f_i), f_i = 100^(-i / n), i < n =
/// floor(d / 6). [t h w, d].
torch::Tensor gridPositions(std::int64_t t, std::int64_t h, std::int64_t w, std::int64_t d);

} // namespace linmu::models
