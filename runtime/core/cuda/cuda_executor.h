// Runs packages on CUDA devices.
#pragma once
#include "runtime/core/executor.h"

namespace linmu::cuda {

/// Needs no driver before the first launch. The package must be valid and outlive the executor. Throws
/// Error(unsupported) for a package that has only a source.
std::unique_ptr<const Executor> openOnCuda(const Package &package);

} // namespace linmu::cuda
