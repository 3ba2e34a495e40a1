// What a pattern is compiled for.
#pragma once
#include "runtime/core/cuda/architecture.h"
#include <string>
#include <string_view>
#include <vector>

namespace linmu::jit {

struct Target {
  bool cuda = false; ///< otherwise the CPU at hand
  /// For CUDA, each once: those named, or those of the GPUs at hand.
  std::vector<cuda::Architecture> architectures;

  /// "cpu", "cuda" or "cuda:sm_90a,sm_80". Throws Error(invalidArgument) for anything else, and
  /// Error(unsupported) for "cuda" on a machine without a GPU.
  static Target parse(std::string_view text);

  /// "cpu" or e.g. "cuda:sm_80,sm_90a".
  std::string name() const;
};

} // namespace linmu::jit
