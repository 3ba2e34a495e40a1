// Whether the tensors of a call lie where its kernels run.
#pragma once
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <span>

namespace linmu {

/// The device of all tensors, of the kind `kind`. Throws Error(invalidArgument) naming the first operand or
/// result that lies elsewhere, the expected device and the actual.
Device checkDevices(const Signature &signature, Device::Kind kind, std::span<const TensorView> inputs,
                    std::span<const TensorView> results);

} // namespace linmu
