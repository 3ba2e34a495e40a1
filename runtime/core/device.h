// Where tensors lie and kernels run.
#pragma once
#include <cstdint>
#include <string>

namespace linmu {

struct Device {
  enum Kind : std::uint8_t { cpu, cuda } kind = cpu;
  std::int32_t index = 0; ///< of a CUDA device, as its driver counts; 0 for the CPU
  bool operator==(const Device &) const = default;
};

/// "the CPU" or "cuda:0".
inline std::string name(Device device) {
  return device.kind == Device::cpu ? "the CPU" : "cuda:" + std::to_string(device.index);
}

} // namespace linmu
