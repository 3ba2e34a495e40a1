// The words that a CUDA kernel takes for its operands (package.h).
#pragma once
#include "runtime/core/package.h"
#include <cstddef>

namespace linmu::cuda {

/// How many 64-bit words the operands of `launch` and its grid take. Its bindings must lie inside `package`.
std::size_t argumentWords(const Package &package, const Launch &launch);

} // namespace linmu::cuda
