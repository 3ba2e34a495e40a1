#include "runtime/core/cuda/architecture.h"
#include <algorithm>

namespace linmu::cuda {

std::optional<Architecture> Architecture::parse(std::string_view name) {
  if (!name.starts_with("sm_"))
    return std::nullopt;
  name.remove_prefix(3);
  char variant = 0;
  if (name.ends_with('a')) {
    variant = 'a';
    name.remove_suffix(1);
  }
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if ((name.size() != 2 && name.size() != 3) || name[0] == '0' ||
      !std::all_of(name.begin(), name.end(), digit))
    return std::nullopt;
  int number = 0;
  for (char c : name)
    number = 10 * number + (c - '0');
  return Architecture{number / 10, number % 10, variant};
}

Architecture Architecture::ofDevice(int major, int minor) {
  // Hopper's wgmma and what the data-centre Blackwells have are in the 'a' variant alone.
  bool bound = (major == 9 && minor == 0) || major == 10;
  return {major, minor, bound ? 'a' : '\0'};
}

std::string Architecture::name() const {
  std::string text = "sm_" + std::to_string(10 * major + minor);
  return variant ? text + variant : text;
}

std::int64_t Architecture::sharedBytes() const {
  constexpr std::int64_t kib = 1024;
  if (major == 9 || major == 10)
    return 227 * kib;
  return major == 8 && (minor == 0 || minor == 7) ? 163 * kib : 99 * kib;
}

bool Architecture::runsOn(int device_major, int device_minor) const {
  return major == device_major && (variant ? minor == device_minor : minor <= device_minor);
}

} // namespace linmu::cuda
