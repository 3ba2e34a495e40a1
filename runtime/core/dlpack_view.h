// Tensors lent through DLPack, as the runtime's views.
#pragma once
#include "runtime/core/dlpack.h"
#include "runtime/core/tensor_view.h"
#include <string>

namespace linmu {

/// DLPack's numbers of devices.
constexpr std::int32_t dlpack_cpu = 1, dlpack_cuda = 2, dlpack_cuda_managed = 13;

/// How DLPack writes an element type.
DLDataType dlpackType(DType type);

/// A view of the same memory. `who` is the operand or result with its quoted name, as messages name it;
/// `expected` the element type that the pattern has, for the message only. Throws Error(unsupported) for a
/// tensor that is neither on the CPU nor on a CUDA device, Error(invalidArgument) for elements of a type that
/// no pattern has, too many axes, or a tensor without a shape.
TensorView viewOf(const DLTensor &tensor, const std::string &who, DType expected);

} // namespace linmu
