#include "models/vision/projector.h"

namespace linmu::models {

Projector Projector::load(std::int64_t vision_size, std::int64_t text_size, WeightReader &weights) {
  Projector projector;
  projector.vision_size_ = vision_size;
  projector.text_size_ = text_size;
  projector.eachTensor(
      [&](const NamedTensor &entry) { entry.tensor = weights.take(entry.name, entry.shape); });
  return projector;
}

void Projector::eachTensor(const TensorVisitor &visit) {
  visit({"projector.in_proj.weight", in_, {text_size_, vision_size_}});
  visit({"projector.in_proj.bias", in_bias_, {text_size_}});
  visit({"projector.out_proj.weight", out_, {text_size_, text_size_}});
  visit({"projector.out_proj.bias", out_bias_, {text_size_}});
}

torch::Tensor Projector::forward(const torch::Tensor &x) const {
  return torch::linear(torch::gelu(torch::linear(x, in_, in_bias_)), out_, out_bias_);
}

} // namespace linmu::models
