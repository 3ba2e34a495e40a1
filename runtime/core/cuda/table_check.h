// Token orders and media tables on a device, checked as those on the host are: at the price of waiting.
#pragma once
#include "runtime/core/operand_check.h"
#include <span>

namespace linmu::cuda {

/// Copies the inputs that kernels address memory by from the device after the work on `stream`, waits for
/// them, and throws as checkContents() does. A context of their device is current. Throws
/// Error(invalidArgument) if the stream captures a graph, which cannot wait.
void checkTables(const Signature &signature, const Symbols &symbols, std::span<const TensorView> inputs,
                 void *stream);

} // namespace linmu::cuda
