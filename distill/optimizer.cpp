#include "distill/optimizer.h"
#include "runtime/core/error.h"
#include <cmath>
#include <fmt/format.h>

namespace linmu::distill {

using torch::Tensor;
using torch::optim::AdamWOptions;
using torch::optim::AdamWParamState;

static bool decays(const Parameter &parameter) {
  return parameter.tensor.dim() == 2 && !parameter.name.ends_with("scan_norm.weight") &&
         parameter.name.find(".convolution.") == std::string::npos;
}

Optimizer::Optimizer(std::vector<Parameter> parameters, const OptimizerOptions &options) : options_(options) {
  std::vector<Tensor> matrices, others;
  for (Parameter &parameter : parameters) {
    if (!parameter.tensor.requires_grad())
      continue;
    (decays(parameter) ? matrices : others).push_back(parameter.tensor);
    parameters_.push_back(std::move(parameter));
  }
  AdamWOptions defaults;
  defaults.betas({options.beta1, options.beta2}).eps(options.epsilon).weight_decay(0);
  auto decayed = std::make_unique<AdamWOptions>(defaults);
  decayed->weight_decay(options.weight_decay);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(matrices, std::move(decayed));
  groups.emplace_back(others);
  adam_ = std::make_unique<torch::optim::AdamW>(groups, defaults);
}

Optimizer::~Optimizer() = default;

Optimizer::Outcome Optimizer::step(double learning_rate) {
  torch::NoGradGuard guard;
  Outcome outcome;
  double squares = 0;
  for (const Parameter &parameter : parameters_) {
    const Tensor &gradient = parameter.tensor.grad();
    if (!gradient.defined())
      continue;
    double norm = at::linalg_vector_norm(gradient, 2).item<double>();
    if (!std::isfinite(norm) && outcome.not_finite.empty())
      outcome.not_finite = parameter.name;
    squares += norm * norm;
  }
  outcome.norm = std::sqrt(squares);
  if (outcome.not_finite.empty()) {
    if (options_.clip > 0 && outcome.norm > options_.clip)
      for (const Parameter &parameter : parameters_)
        if (parameter.tensor.grad().defined())
          parameter.tensor.mutable_grad().mul_(options_.clip / outcome.norm);
    for (auto &group : adam_->param_groups())
      group.options().set_lr(learning_rate);
    adam_->step();
  }
  adam_->zero_grad(/*set_to_none=*/true);
  return outcome;
}

NamedTensors Optimizer::gradients() const {
  NamedTensors gradients;
  for (const Parameter &parameter : parameters_)
    if (parameter.tensor.grad().defined())
      gradients.emplace(parameter.name, parameter.tensor.grad());
  return gradients;
}

void Optimizer::setGradients(const NamedTensors &gradients, const std::string &origin) {
  NamedTensors places;
  for (const Parameter &parameter : parameters_)
    if (gradients.contains(parameter.name))
      places.emplace(parameter.name, torch::zeros_like(parameter.tensor));
  copyTensors(gradients, places, origin);
  for (Parameter &parameter : parameters_)
    if (auto found = places.find(parameter.name); found != places.end())
      parameter.tensor.mutable_grad() = found->second;
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  for (const Parameter &parameter : parameters_) {
    auto found = adam_->state().find(parameter.tensor.unsafeGetTensorImpl());
    if (found == adam_->state().end())
      continue;
    const auto &own = static_cast<const AdamWParamState &>(*found->second);
    state.emplace(parameter.name + ".exp_avg", own.exp_avg());
    state.emplace(parameter.name + ".exp_avg_sq", own.exp_avg_sq());
    state.emplace(parameter.name + ".step", torch::tensor(own.step(), torch::kInt64));
  }
  return state;
}

void Optimizer::restore(const NamedTensors &state, const std::string &origin) {
  NamedTensors places;
  for (const Parameter &parameter : parameters_)
    if (state.contains(parameter.name + ".step")) {
      places.emplace(parameter.name + ".exp_avg", torch::zeros_like(parameter.tensor));
      places.emplace(parameter.name + ".exp_avg_sq", torch::zeros_like(parameter.tensor));
      places.emplace(parameter.name + ".step", torch::zeros({}, torch::kInt64));
    }
  copyTensors(state, places, origin);
  for (const Parameter &parameter : parameters_)
    if (places.contains(parameter.name + ".step")) {
      auto own = std::make_unique<AdamWParamState>();
      own->exp_avg(places.at(parameter.name + ".exp_avg"));
      own->exp_avg_sq(places.at(parameter.name + ".exp_avg_sq"));
      own->step(places.at(parameter.name + ".step").item<std::int64_t>());
      adam_->state()[parameter.tensor.unsafeGetTensorImpl()] = std::move(own);
    }
}

} // namespace linmu::distill
