// Runs packages of the CUDA target without a GPU.
#pragma once
#include "compiler/target/cuda/emulation/Verdict.h"
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <cstdint>
#include <span>
#include <string>

namespace linmu::emulation {

struct PackageOptions {
  /// A clang++, or a g++ 12 or newer; empty: the one that this was built with, else c++.
  std::string compiler;
  unsigned architecture = 90; ///< of sm_90a
  std::uint64_t seed = 0;     ///< of the order of blocks and threads
};

/// Runs the pattern on host memory, launch after launch, up to the first that is not clean; operands are
/// checked as by a launch (Error(invalidArgument)). The package has a source. A message begins with the
/// kernel's name.
Verdict runPackage(const Package &package, std::span<const TensorView> inputs,
                   std::span<const TensorView> results, const PackageOptions &options);

} // namespace linmu::emulation
