// Whether operands lie as kernels on GPUs reach them.
#pragma once
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <span>

namespace linmu::cuda {

/// Kernels move neighbouring elements by up to 16 bytes: as far as the last extent, where it is a constant,
/// allows, the address and all strides must be multiples of that; and they reckon steps along dimension 1 in
/// bytes of 32 bits. Throws Error(invalidArgument) naming the operand where that does not hold. The views
/// must have passed checkOperands().
void checkAccess(const Signature &signature, std::span<const TensorView> inputs,
                 std::span<const TensorView> results);

} // namespace linmu::cuda
