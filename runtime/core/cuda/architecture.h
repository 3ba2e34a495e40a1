// GPU architectures by NVIDIA's names, and whose code runs where.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linmu::cuda {

/// A compute capability, and how its code is bound to it.
struct Architecture {
  int major = 0, minor = 0;
  /// 'a': code that uses what this one capability has and runs there alone; 0: code that also runs on later
  /// minor revisions of the same major.
  char variant = 0;
  bool operator==(const Architecture &) const = default;

  /// "sm_80", "sm_90a", "sm_120"; nothing for any other form.
  static std::optional<Architecture> parse(std::string_view name);

  /// What to compile for on a device of this capability: with everything that it has, where that needs the
  /// variant 'a'.
  static Architecture ofDevice(int major, int minor);

  std::string name() const;

  /// Bytes of shared memory that a block may have at most: CUDA C++ Programming Guide, "Technical
  /// Specifications per Compute Capability"; of a capability that is not listed there, the least.
  std::int64_t sharedBytes() const;

  /// Whether its code runs on a device of that capability.
  bool runsOn(int device_major, int device_minor) const;
};

} // namespace linmu::cuda
