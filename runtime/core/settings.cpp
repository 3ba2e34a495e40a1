#include "runtime/core/settings.h"
#include "runtime/core/error.h"
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace linmu {

namespace {

thread_local const Settings *scoped = nullptr;

std::atomic<const Settings *> of_environment{nullptr};

std::string_view environment(const char *variable) {
  const char *value = std::getenv(variable);
  return value ? value : "";
}

[[noreturn]] void reject(const char *variable, std::string_view value, const char *expected) {
  throw Error(ErrorCode::invalidArgument, std::string("environment variable ") + variable + ": expected " +
                                              expected + ", got '" + std::string(value) + "'");
}

/// A number from 0 to `most`, `otherwise` where the variable is not set.
int numberFromEnvironment(const char *variable, int most, int otherwise) {
  std::string_view text = environment(variable);
  if (text.empty())
    return otherwise;
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > most)
    reject(variable, text, ("a number from 0 to " + std::to_string(most)).c_str());
  return number;
}

int threadsFromEnvironment() { return numberFromEnvironment("LINMU_THREADS", 4096, Settings().threads); }

int memoryCacheFromEnvironment() {
  return numberFromEnvironment("LINMU_MEMORY_CACHE", 1 << 20, Settings().memory_cache_mib);
}

bool switchFromEnvironment(const char *variable, bool otherwise) {
  std::string_view text = environment(variable);
  if (!text.empty() && text != "0" && text != "1")
    reject(variable, text, "0 or 1");
  return text.empty() ? otherwise : text == "1";
}

std::string cudaDriverFromEnvironment() {
  std::string_view text = environment("LINMU_CUDA_DRIVER");
  return text.empty() ? Settings().cuda_driver : std::string(text);
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
  // No static of this function: one that is under construction when another thread forks stays so in the
  // child, whose first launch would wait for it for ever.
  if (const Settings *known = of_environment.load())
    return *known;
  auto read = std::make_unique<const Settings>(
      Settings{.threads = threadsFromEnvironment(),
               .cache_dir = cacheFromEnvironment(),
               .disk_cache = switchFromEnvironment("LINMU_DISK_CACHE", true),
               .memory_cache_mib = memoryCacheFromEnvironment(),
               .cuda_driver = cudaDriverFromEnvironment(),
               .nvrtc = environment("LINMU_NVRTC"),
               .check_tables = switchFromEnvironment("LINMU_CHECK_TABLES", false),
               .torch_dir = environment("LINMU_TORCH_DIR")});
  const Settings *first = nullptr;
  if (of_environment.compare_exchange_strong(first, read.get()))
    return *read.release();
  return *first;
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
      {"LINMU_MEMORY_CACHE", "MiB of compiled kernels that a process keeps; 0: only those in use",
       std::to_string(settings.memory_cache_mib)},
      {"LINMU_CUDA_DRIVER", "library of NVIDIA's driver", settings.cuda_driver},
      {"LINMU_NVRTC",
       "library of NVRTC, which compiles for CUDA; default: a toolkit's or that of torch's wheels",
       settings.nvrtc.string()},
      {"LINMU_CHECK_TABLES",
       "1: a launch on CUDA waits for its token orders and media tables and checks them",
       settings.check_tables ? "1" : "0"},
      {"LINMU_TORCH_DIR", "folder of the torch package that models run on; default: the one beside LinMU",
       settings.torch_dir.string()},
  };
}

} // namespace linmu
