#include "distill/optimizer.h"
#include "runtime/core/error.h"
#include <cmath>
#include <fmt/format.h>

namespace linmu::distill {

using torch::Tensor;

static bool decays(const Parameter &parameter) {
  return parameter.tensor.dim() == 2 && !parameter.name.ends_with("scan_norm.weight") &&
         parameter.name.find(".convolution.") == std::string::npos;
}

Optimizer::Optimizer(std::vector<Parameter> parameters, const OptimizerOptions &options) : options_(options) {
  for (Parameter &parameter : parameters)
    if (parameter.tensor.requires_grad())
      entries_.push_back({std::move(parameter), {}, {}, {}});
}

std::vector<Optimizer::Entry *> Optimizer::withGradients() {
  std::vector<Entry *> entries;
  for (Entry &entry : entries_)
    if (entry.parameter.tensor.grad().defined())
      entries.push_back(&entry);
  return entries;
}

/// https://arxiv.org/abs/1711.05101
void Optimizer::adam(const std::vector<Entry *> &entries, double learning_rate, double weight_decay) const {
  if (entries.empty())
    return;
  std::vector<Tensor> values, gradients, averages, squares, steps;
  for (Entry *entry : entries) {
    const Tensor &value = entry->parameter.tensor;
    if (!entry->steps.defined()) {
      entry->average = torch::zeros_like(value);
      entry->square = torch::zeros_like(value);
      entry->steps = torch::zeros({}, value.options().requires_grad(false));
    }
    values.push_back(value);
    gradients.push_back(value.grad());
    averages.push_back(entry->average);
    squares.push_back(entry->square);
    steps.push_back(entry->steps);
  }
  at::_foreach_add_(steps, 1);
  at::_fused_adamw_(values, gradients, averages, squares, /*max_exp_avg_sqs=*/{}, steps, learning_rate,
                    options_.beta1, options_.beta2, weight_decay, options_.epsilon, /*amsgrad=*/false,
                    /*maximize=*/false);
}

Optimizer::Outcome Optimizer::step(double learning_rate) {
  torch::NoGradGuard guard;
  Outcome outcome;
  const std::vector<Entry *> entries = withGradients();
  if (entries.empty())
    return outcome;
  std::vector<Tensor> gradients;
  for (Entry *entry : entries)
    gradients.push_back(entry->parameter.tensor.grad());
  const Tensor norms = torch::stack(at::_foreach_norm(gradients, 2)).to(torch::kCPU, torch::kFloat64);
  double squares = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const double norm = norms.data_ptr<double>()[i];
    if (!std::isfinite(norm) && outcome.not_finite.empty())
      outcome.not_finite = entries[i]->parameter.name;
    squares += norm * norm;
  }
  outcome.norm = std::sqrt(squares);
  if (outcome.not_finite.empty()) {
    if (options_.clip > 0 && outcome.norm > options_.clip)
      at::_foreach_mul_(gradients, options_.clip / outcome.norm);
    std::vector<Entry *> matrices, others;
    for (Entry *entry : entries)
      (decays(entry->parameter) ? matrices : others).push_back(entry);
    adam(matrices, learning_rate, options_.weight_decay);
    adam(others, learning_rate, 0);
  }
  for (Entry *entry : entries)
    entry->parameter.tensor.mutable_grad() = Tensor();
  return outcome;
}

NamedTensors Optimizer::gradients() const {
  NamedTensors gradients;
  for (const Entry &entry : entries_)
    if (entry.parameter.tensor.grad().defined())
      gradients.emplace(entry.parameter.name, entry.parameter.tensor.grad());
  return gradients;
}

void Optimizer::setGradients(const NamedTensors &gradients, const std::string &origin) {
  NamedTensors places;
  for (const Entry &entry : entries_)
    if (gradients.contains(entry.parameter.name))
      places.emplace(entry.parameter.name, torch::zeros_like(entry.parameter.tensor));
  copyTensors(gradients, places, origin);
  for (Entry &entry : entries_)
    if (auto found = places.find(entry.parameter.name); found != places.end())
      entry.parameter.tensor.mutable_grad() = found->second;
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  for (const Entry &entry : entries_)
    if (entry.steps.defined()) {
      state.emplace(entry.parameter.name + ".exp_avg", entry.average);
      state.emplace(entry.parameter.name + ".exp_avg_sq", entry.square);
      state.emplace(entry.parameter.name + ".step", entry.steps.to(torch::kInt64));
    }
  return state;
}

void Optimizer::restore(const NamedTensors &state, const std::string &origin) {
  NamedTensors places;
  auto saved = [&](const Entry &entry) { return state.contains(entry.parameter.name + ".step"); };
  for (const Entry &entry : entries_)
    if (saved(entry)) {
      places.emplace(entry.parameter.name + ".exp_avg", torch::zeros_like(entry.parameter.tensor));
      places.emplace(entry.parameter.name + ".exp_avg_sq", torch::zeros_like(entry.parameter.tensor));
      places.emplace(entry.parameter.name + ".step", torch::zeros({}, torch::kInt64));
    }
  copyTensors(state, places, origin);
  for (Entry &entry : entries_)
    if (saved(entry)) {
      entry.average = places.at(entry.parameter.name + ".exp_avg");
      entry.square = places.at(entry.parameter.name + ".exp_avg_sq");
      entry.steps =
          places.at(entry.parameter.name + ".step").to(entry.parameter.tensor.options().requires_grad(false));
    }
}

} // namespace linmu::distill
