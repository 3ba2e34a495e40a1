// A tensor of a model by the name that files have it under.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

struct NamedTensor {
  std::string name;
  torch::Tensor &tensor;
  std::vector<std::int64_t> shape;
};

using TensorVisitor = std::function<void(const NamedTensor &)>;

} // namespace linmu::models
