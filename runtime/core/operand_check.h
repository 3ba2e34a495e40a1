// Whether the tensors of a call fit a signature, and what its symbols stand for.
#pragma once
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <cstdint>
#include <span>
#include <vector>

namespace linmu {

/// Binds the symbols from `inputs` (from `results` where no input has them) and checks every tensor. B is the
/// batch of the first input whose batch is not 1; inputs with a batch of 1 broadcast. Throws
/// Error(invalidArgument) naming the operand, the expected and the actual count, dtype, shape, stride or
/// alignment.
Symbols checkOperands(const Signature &signature, std::span<const TensorView> inputs,
                      std::span<const TensorView> results);

/// The extents of an operand of a call.
std::vector<std::int64_t> shapeOf(const OperandSpec &spec, const Symbols &symbols);

} // namespace linmu
