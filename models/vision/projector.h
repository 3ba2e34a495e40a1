// From the encoder's features to those of the decoder.
#pragma once
#include "models/io/weight_reader.h"
#include "models/vision/named_tensor.h"
#include <cstdint>
#include <torch/torch.h>

namespace linmu::models {

/// y = W_2 gelu(W_1 x + b_1) + b_2, as LLaVA-1.5 has it (https://arxiv.org/abs/2310.03744). A copy shares
/// every weight.
class Projector {
public:
  /// Reads the tensors `projector.*`, f32: from `vision_size` to `text_size` features.
  static Projector load(std::int64_t vision_size, std::int64_t text_size, WeightReader &weights);

  /// x [..., vision_size] to [..., text_size], under autograd.
  torch::Tensor forward(const torch::Tensor &x) const;

  /// Every tensor, in one order.
  void eachTensor(const TensorVisitor &visit);

private:
  std::int64_t vision_size_ = 0, text_size_ = 0;
  torch::Tensor in_, in_bias_;   ///< [text_size, vision_size], [text_size]
  torch::Tensor out_, out_bias_; ///< [text_size, text_size], [text_size]
};

} // namespace linmu::models
