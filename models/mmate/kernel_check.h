// M-MATE's kernels against the fp64 definition of their patterns, on the very tensors that a model passes.
#pragma once
#include "models/mmate/mmate.h"
#include <string>
#include <vector>

namespace linmu::models {

struct KernelCheck {
  std::string kernel;
  /// The largest error of a head's vector at one token, relative to the root mean square of that head.
  double error = 0;
};

/// Runs `body` with every launch of `kernels` compared with the interpreter; the worst of each kernel.
/// Throws Error(internal) if the interpreter refuses a call that the kernel took.
std::vector<KernelCheck> checkKernels(const MMateKernels &kernels, const std::function<void()> &body);

} // namespace linmu::models
