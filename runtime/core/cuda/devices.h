// The CUDA devices of this process and their contexts.
#pragma once
#include "runtime/core/cuda/architecture.h"
#include "runtime/core/cuda/driver.h"
#include <cstdint>
#include <string>
#include <vector>

namespace linmu::cuda {

struct DeviceInfo {
  DeviceHandle handle = 0;
  std::string name; ///< e.g. "NVIDIA H200"
  int major = 0, minor = 0;
  int multiprocessors = 0;
  std::int64_t shared_per_block = 0; ///< bytes that a block may have once its kernel opts in
  std::int64_t shared_per_multiprocessor = 0;

  /// What to compile for.
  Architecture architecture() const { return Architecture::ofDevice(major, minor); }
};

/// All devices, by their ordinal; read once a process. Throws Error(unsupported) where there is no driver or
/// no GPU.
const std::vector<DeviceInfo> &devices();

/// Throws Error(invalidArgument) for an ordinal that no device has.
const DeviceInfo &deviceAt(std::int32_t ordinal);

/// The ordinal of the device that `memory` lies on.
std::int32_t deviceOf(const void *memory);

/// While it lives, a context of one device is current on this thread: the one that was, where it is of that
/// device; otherwise the primary one, as the runtime API and torch use it.
class CurrentContext {
public:
  explicit CurrentContext(std::int32_t ordinal);
  ~CurrentContext();
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

  Context get() const { return context_; }

private:
  Context context_ = nullptr;
  bool pushed_ = false;
};

} // namespace linmu::cuda
