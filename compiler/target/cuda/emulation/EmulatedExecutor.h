// Runs packages of the CUDA target without a GPU: an executor of runtime/core.
#pragma once
#include "compiler/target/cuda/emulation/Verdict.h"
#include "runtime/core/executor.h"
#include <cstdint>
#include <memory>
#include <string>

namespace linmu::emulation {

struct ExecutorOptions {
  /// A clang++, or a g++ 12 or newer; empty: the one that this was built with, else c++.
  std::string compiler;
  unsigned architecture = 90; ///< of sm_90a
  std::uint64_t seed = 0;     ///< of the order of blocks and threads
  /// Of the kernel `without_ordering_in` the wait, barrier or fence at this line of its text runs as if it
  /// were not there; see orderingsIn(). 0: none.
  int without_ordering_at = 0;
  std::string without_ordering_in{};
};

/// The package has sources, is valid and outlives the executor. Operands lie in the host's memory. A kernel
/// is compiled for the host at its first launch and kept as long as this. A call runs launch after launch up
/// to the first that is not clean, and throws then: Error(internal) with toString() of an error,
/// Error(unsupported) of what is not modelled; the message names the kernel. Calls run one after the other,
/// each by what `options`, if given, say then; the compiler is what they name at first.
std::unique_ptr<const Executor> openEmulated(const Package &package,
                                             const ExecutorOptions *options = nullptr);

} // namespace linmu::emulation
