// The parameters of a model by name, and which of them a stage trains.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <torch/torch.h>
#include <vector>

namespace linmu::distill {

/// What a stage trains or freezes as a whole.
enum class Part {
  backbone, ///< embedding, norms, FFNs, head, and the teacher's attention
  vision,   ///< encoder and projector
  flex,     ///< M-MATE's Flex-MA
  swin,     ///< M-MATE's Local-Swin
  fusion,   ///< M-MATE's lambda and output norm
  adapters  ///< LoRA on the FFNs
};

/// "backbone", "vision", "flex", "swin", "fusion", "adapters".
std::string_view name(Part part);
/// Throws Error(invalidArgument) for another name.
Part partNamed(std::string_view name);

struct Parameter {
  std::string name;     ///< "model.layers.3.mmate.flex.weight"
  torch::Tensor tensor; ///< the very tensor that the model computes with
  Part part;
};

class Parameters {
public:
  /// Throws Error(invalidArgument) for a name that there is already.
  void add(std::string name, torch::Tensor tensor, Part part);

  const std::vector<Parameter> &all() const { return all_; }

  /// From here on gradients are taken of `parts`; everything else has none and loses what it had.
  void train(const std::set<Part> &parts);
  /// Those of the parts given to train(), in the order of all().
  std::vector<Parameter> trained() const;

private:
  std::vector<Parameter> all_;
  std::set<std::string> names_;
};

} // namespace linmu::distill
