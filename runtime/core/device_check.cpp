#include "runtime/core/device_check.h"
#include "runtime/core/error.h"
#include <string>

namespace linmu {

Device checkDevices(const Signature &signature, Device::Kind kind, std::span<const TensorView> inputs,
                    std::span<const TensorView> results) {
  // The first tensor of the kind decides; where there is none, the first tensor is at fault.
  Device expected{kind, -1};
  auto decide = [&](std::span<const TensorView> views) {
    for (const TensorView &view : views)
      if (expected.index < 0 && view.device.kind == kind)
        expected = view.device;
  };
  decide(inputs);
  decide(results);
  auto check = [&](std::span<const TensorView> views, const std::vector<OperandSpec> &specs,
                   const char *what) {
    for (std::size_t i = 0; i < views.size(); ++i)
      if (views[i].device != expected)
        throw Error(ErrorCode::invalidArgument,
                    std::string(what) + " '" + specs[i].name + "' of pattern '" + signature.name +
                        "': expected a tensor on " +
                        (kind == Device::cuda && expected.index < 0 ? "a CUDA device" : name(expected)) +
                        ", got one on " + name(views[i].device));
  };
  check(inputs, signature.inputs, "operand");
  check(results, signature.results, "result");
  return expected;
}

} // namespace linmu
