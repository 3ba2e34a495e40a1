// Whether the results of a call have memory of their own.
#pragma once
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <span>

namespace linmu {

/// The views must have passed checkOperands(). Throws Error(invalidArgument) naming the operands where two
/// elements of a result coincide, where a result shares memory with an input or with another result, or where
/// a view leaves the address space. Views whose elements interleave, such as different columns of the same
/// rows, share nothing. A result with `in_place_of` may lie exactly where that input does.
void checkMemory(const Signature &signature, std::span<const TensorView> inputs,
                 std::span<const TensorView> results);

} // namespace linmu
