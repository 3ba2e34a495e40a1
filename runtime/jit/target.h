// What a pattern is compiled for.
#pragma once
#include "runtime/core/cuda/architecture.h"
#include <string>
#include <string_view>
#include <vector>

namespace linmu::jit {

struct Target {
  bool cuda = false;    ///< otherwise the CPU at hand
  bool emulate = false; ///< with `cuda`: its kernels on this machine's CPU, every access checked
  /// For CUDA, each once: those named, or those of the GPUs at hand; none to emulate.
  std::vector<cuda::Architecture> architectures;

  /// "cpu", "cuda", "cuda:sm_90a,sm_80" or "emulate". Throws Error(invalidArgument) for anything else, and
  /// Error(unsupported) for "cuda" on a machine without a GPU.
  static Target parse(std::string_view text);

  /// "cpu", "emulate" or e.g. "cuda:sm_80,sm_90a".
  std::string name() const;

  /// Bytes of shared memory that a block may have on each of the architectures; of none, as sm_80.
  std::int64_t sharedBytes() const;
};

} // namespace linmu::jit
