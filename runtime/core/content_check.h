// Whether the operands that kernels address memory by hold indices inside the call's tokens.
#pragma once
#include "runtime/core/operand_check.h"
#include <span>

namespace linmu {

/// `inputs` must have passed checkOperands(), which gave `symbols`. Throws Error(invalidArgument) naming the
/// operand, the entry or row, the expected range and the actual.
void checkContents(const Signature &signature, const Symbols &symbols, std::span<const TensorView> inputs);

/// The tokens of the longest sequence in the tables of sequences, which it checks; 0 where there is none.
std::int64_t longestSequence(const Signature &signature, const Symbols &symbols,
                             std::span<const TensorView> inputs);

/// The same for one input, for a call with `tokens` tokens.
void checkContent(const Signature &signature, const OperandSpec &spec, const TensorView &view,
                  std::int64_t tokens);

} // namespace linmu
