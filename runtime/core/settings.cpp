#include "runtime/core/settings.h"
#include "runtime/core/error.h"
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace linmu {

namespace {

thread_local const Settings *scoped = nullptr;

std::string_view environment(const char *variable) {
  const char *value = std::getenv(variable);
  return value ? value : "";
}

[[noreturn]] void reject(const char *variable, std::string_view value, const char *expected) {
  throw Error(ErrorCode::invalidArgument, std::string("environment variable ") + variable + ": expected " +
                                              expected + ", got '" + std::string(value) + "'");
}

int threadsFromEnvironment() {
  std::string_view text = environment("LINMU_THREADS");
  int threads = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (!text.empty() &&
      (error != std::errc() || end != text.data() + text.size() || threads < 0 || threads > 4096))
    reject("LINMU_THREADS", text, "a number from 0 to 4096");
  return threads;
}

bool diskCacheFromEnvironment() {
  std::string_view text = environment("LINMU_DISK_CACHE");
  if (!text.empty() && text != "0" && text != "1")
    reject("LINMU_DISK_CACHE", text, "0 or 1");
  return text != "0";
}

std::filesystem::path cacheFromEnvironment() {
  if (auto path = environment("LINMU_CACHE_DIR"); !path.empty())
    return path;
  if (auto path = environment("XDG_CACHE_HOME"); !path.empty())
    return std::filesystem::path(path) / "linmu";
  if (auto path = environment("HOME"); !path.empty())
    return std::filesystem::path(path) / ".cache" / "linmu";
  return {};
}

} // namespace

const Settings &Settings::current() {
  if (scoped)
    return *scoped;
  static const Settings settings{threadsFromEnvironment(), cacheFromEnvironment(),
                                 diskCacheFromEnvironment()};
  return settings;
}

ScopedSettings::ScopedSettings(Settings settings) : settings_(std::move(settings)), previous_(scoped) {
  scoped = &settings_;
}

ScopedSettings::~ScopedSettings() { scoped = previous_; }

std::vector<SettingDescription> describe(const Settings &settings) {
  return {
      {"LINMU_THREADS", "threads that run a kernel; 0: the number of cores",
       std::to_string(settings.threads)},
      {"LINMU_CACHE_DIR", "folder of compiled kernels; default: $XDG_CACHE_HOME/linmu or ~/.cache/linmu",
       settings.cache_dir.string()},
      {"LINMU_DISK_CACHE", "1: compiled kernels are kept on disk; 0: they are not",
       settings.disk_cache ? "1" : "0"},
  };
}

} // namespace linmu
