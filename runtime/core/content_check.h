// Whether the operands that kernels address memory by hold indices inside the call's tokens.
#pragma once
#include "runtime/core/operand_check.h"
#include <span>

namespace linmu {

/// `inputs` must have passed checkOperands(), which gave `symbols`. Throws Error(invalidArgument) naming the
/// operand, the entry or row, the expected range and the actual.
void checkContents(const Signature &signature, const Symbols &symbols, std::span<const TensorView> inputs);

} // namespace linmu
