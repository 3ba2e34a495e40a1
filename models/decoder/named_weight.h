// A weight of a decoder by the name that files have it under.
#pragma once
#include "models/decoder/linear_weight.h"
#include <cstdint>
#include <functional>
#include <string>
#include <torch/torch.h>
#include <variant>
#include <vector>

namespace linmu::models {

/// Refers to the weight, a linear map's or a norm or bias, where it is kept.
class NamedWeight {
public:
  NamedWeight(std::string name, LinearWeight &weight, std::vector<std::int64_t> shape)
      : name_(std::move(name)), weight_(&weight), shape_(std::move(shape)) {}
  NamedWeight(std::string name, torch::Tensor &tensor, std::vector<std::int64_t> shape)
      : name_(std::move(name)), weight_(&tensor), shape_(std::move(shape)) {}

  const std::string &name() const { return name_; } ///< "model.layers.3.self_attn.q_proj.weight"

  /// Becomes what `weights` has by its name. Throws as WeightReader::take.
  void take(WeightReader &weights) const;
  void moveTo(torch::Device device) const;
  /// The very tensor that the decoder computes with. Throws Error(unsupported) naming a weight that is
  /// packed.
  const torch::Tensor &tensor() const;

private:
  std::string name_;
  std::variant<LinearWeight *, torch::Tensor *> weight_;
  std::vector<std::int64_t> shape_;
};

using WeightVisitor = std::function<void(const NamedWeight &)>;

} // namespace linmu::models
