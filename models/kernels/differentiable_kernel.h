// A compiled pattern as a function on torch tensors that autograd knows.
#pragma once
#include "runtime/jit/compile.h"
#include <memory>
#include <string>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// Cheap to copy; safe to call from several threads at once.
class DifferentiableKernel {
public:
  /// Compiles the pattern, or takes it from the cache; its gradients are compiled when backward first asks
  /// for them, one kernel for each set of inputs that want one and of results that have a cotangent. Throws
  /// like linmu::compile().
  DifferentiableKernel(std::string source, CompileOptions options);

  /// The results, new tensors in the order of the signature, of inputs in the order of the signature. Where
  /// gradients are on and an input requires one, results know how they were made: the call keeps its inputs,
  /// and nothing else, until backward, which runs the derived gradient on them. An input whose batch of 1
  /// served every sequence gets the sum over the batch.
  ///
  /// Throws like a launch. Backward throws Error(invalidPattern), at the pattern's line, for a pattern
  /// without a derived gradient, and the backward of a backward Error(unsupported).
  std::vector<torch::Tensor> operator()(const std::vector<torch::Tensor> &inputs) const;

  const Kernel &kernel() const;

private:
  struct State;
  friend class PatternFunction;
  std::shared_ptr<State> state_;
};

} // namespace linmu::models
