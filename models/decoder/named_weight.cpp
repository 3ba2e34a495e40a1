#include "models/decoder/named_weight.h"

namespace linmu::models {

void NamedWeight::take(WeightReader &weights) const {
  if (auto *linear = std::get_if<LinearWeight *>(&weight_))
    **linear = LinearWeight::take(weights, name_, shape_);
  else
    *std::get<torch::Tensor *>(weight_) = weights.take(name_, shape_);
}

void NamedWeight::moveTo(torch::Device device) const {
  if (auto *linear = std::get_if<LinearWeight *>(&weight_))
    return (*linear)->moveTo(device);
  torch::Tensor &tensor = *std::get<torch::Tensor *>(weight_);
  tensor = tensor.to(device);
}

const torch::Tensor &NamedWeight::tensor() const {
  if (auto *linear = std::get_if<LinearWeight *>(&weight_))
    return (*linear)->tensor(name_);
  return *std::get<torch::Tensor *>(weight_);
}

} // namespace linmu::models
