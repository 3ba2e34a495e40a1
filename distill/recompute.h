// Activation checkpointing: what lies between input and results is computed again for its gradients.
#pragma once
#include <functional>
#include <torch/torch.h>

namespace linmu::distill {

using Body = std::function<torch::autograd::variable_list(const torch::Tensor &input)>;

/// The results of `body`, of which autograd keeps `input` only. `body` runs once now and once in backward,
/// must give the same both times, and may use parameters, whose gradients are added to as by any backward.
/// Parameters get none unless `input` itself requires a gradient. A double backward is not supported.
torch::autograd::variable_list recompute(const Body &body, const torch::Tensor &input);

} // namespace linmu::distill
