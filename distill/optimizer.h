// AdamW over named parameters.
#pragma once
#include "distill/parameters.h"
#include "distill/tensor_file.h"
#include <string>
#include <vector>

namespace linmu::distill {

struct OptimizerOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.01; ///< of matrices; norms, biases and rates have none
  double clip = 1.0;          ///< of the norm of all gradients together; 0: none
};

class Optimizer {
public:
  /// Of parameters that require a gradient; others get no state.
  Optimizer(std::vector<Parameter> parameters, const OptimizerOptions &options);

  struct Outcome {
    double norm = 0;        ///< of all gradients before clipping
    std::string not_finite; ///< the first parameter whose gradient is not; nothing has changed then
  };
  /// Clips, steps, and drops the gradients. Parameters without a gradient stay as they are. A GPU is waited
  /// for once, and steps all parameters together.
  Outcome step(double learning_rate);

  /// Gradients so far, by the names of their parameters.
  NamedTensors gradients() const;
  void setGradients(const NamedTensors &gradients, const std::string &origin);

  /// NAME.exp_avg, NAME.exp_avg_sq and NAME.step of each parameter that has been stepped.
  NamedTensors state() const;
  /// Throws Error(corruptFile) naming `origin` and what does not fit the parameters.
  void restore(const NamedTensors &state, const std::string &origin);

private:
  /// A parameter and its running means, which are undefined before its first step.
  struct Entry {
    Parameter parameter;
    torch::Tensor average, square; ///< of gradients and of their squares
    torch::Tensor steps;           ///< f32 scalar on the parameter's device
  };
  std::vector<Entry *> withGradients();
  void adam(const std::vector<Entry *> &entries, double learning_rate, double weight_decay) const;

  std::vector<Entry> entries_;
  OptimizerOptions options_;
};

} // namespace linmu::distill
