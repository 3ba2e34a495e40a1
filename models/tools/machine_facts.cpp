#include "models/tools/machine_facts.h"
#include "runtime/core/cpu_features.h"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace linmu::tools {
namespace {

/// The value of the first line "KEY : VALUE" of a file of /proc, or nothing.
std::string procValue(const char *path, const std::string &key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key))
      continue;
    const std::size_t colon = line.find(':');
    const std::size_t value = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

/// "24682912 kB" in bytes.
double memoryBytes(const std::string &key) {
  const std::string value = procValue("/proc/meminfo", key);
  return value.empty() ? 0 : 1024 * std::strtod(value.c_str(), nullptr);
}

} // namespace

std::string bytesText(double bytes) {
  static constexpr const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit > 0 && bytes < 10 ? 1 : 0, units[unit]);
}

std::string processorName() {
  const std::string name = procValue("/proc/cpuinfo", "model name");
  return fmt::format("{}, {}", name.empty() ? "unnamed" : name, architecture());
}

std::string instructionSets() {
  static constexpr std::string_view x86[] = {"avx2",     "fma",        "f16c",       "avx512f",  "avx512bw",
                                             "avx512vl", "avx512bf16", "avx512fp16", "amx-tile", "amx-bf16"};
  static constexpr std::string_view arm[] = {"neon", "fullfp16", "bf16", "sve", "sve2"};
  std::vector<std::string_view> found;
  const bool is_x86 = architecture() == "x86_64";
  for (const std::string_view *set = is_x86 ? std::begin(x86) : std::begin(arm);
       set != (is_x86 ? std::end(x86) : std::end(arm)); ++set)
    if (cpuHas(*set))
      found.push_back(*set);
  return found.empty() ? "none beyond the architecture's" : fmt::format("{}", fmt::join(found, ", "));
}

std::string processorCount() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const long all = ::sysconf(_SC_NPROCESSORS_ONLN);
  const int usable = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0
                         ? CPU_COUNT(&allowed)
                         : int(std::thread::hardware_concurrency());
  return fmt::format("{} of {} processors", usable, all);
}

std::string cacheSizes() {
  struct Level {
    const char *name;
    int question;
  };
  static constexpr Level levels[] = {
      {"L1", _SC_LEVEL1_DCACHE_SIZE}, {"L2", _SC_LEVEL2_CACHE_SIZE}, {"L3", _SC_LEVEL3_CACHE_SIZE}};
  std::vector<std::string> sizes;
  for (const Level &level : levels)
    if (const long size = ::sysconf(level.question); size > 0)
      sizes.push_back(fmt::format("{} {}", level.name, bytesText(double(size))));
  return sizes.empty() ? "the system does not say" : fmt::format("{}", fmt::join(sizes, ", "));
}

std::string memorySize() {
  return fmt::format("{}, {} free", bytesText(memoryBytes("MemTotal")),
                     bytesText(memoryBytes("MemAvailable")));
}

} // namespace linmu::tools
