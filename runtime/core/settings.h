// All settings of the library in one typed place. Every environment variable LINMU_* is a field here.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace linmu {

struct Settings {
  int threads = 0;                   ///< LINMU_THREADS; 0: the number of cores
  std::filesystem::path cache_dir{}; ///< LINMU_CACHE_DIR; default: $XDG_CACHE_HOME/linmu or ~/.cache/linmu
  bool disk_cache = true;            ///< LINMU_DISK_CACHE=0 turns the disk cache off
  /// LINMU_MEMORY_CACHE; MiB of texts and code that compile() keeps in a process, those used last; 0 to 2^20
  int memory_cache_mib = 256;
  std::string cuda_driver = "libcuda.so.1"; ///< LINMU_CUDA_DRIVER; the driver's library, read once a process
  std::filesystem::path nvrtc{}; ///< LINMU_NVRTC; the library of NVRTC; empty: runtime/jit/nvrtc.h says where
  /// LINMU_CHECK_TABLES=1: a launch on CUDA waits for its token orders and media tables and checks them
  bool check_tables = false;
  /// LINMU_TORCH_DIR; the folder of the torch package that models run on; empty: the one beside LinMU
  std::filesystem::path torch_dir{};

  /// The settings in force on this thread: the innermost ScopedSettings, else those of the environment.
  static const Settings &current();
};

/// Overrides the settings of this thread until it is destroyed.
class ScopedSettings {
public:
  explicit ScopedSettings(Settings settings);
  ~ScopedSettings();
  ScopedSettings(const ScopedSettings &) = delete;
  ScopedSettings &operator=(const ScopedSettings &) = delete;

private:
  Settings settings_;
  const Settings *previous_;
};

struct SettingDescription {
  std::string variable, meaning, value;
};
/// One row a setting, for `linmu settings`.
std::vector<SettingDescription> describe(const Settings &settings);

} // namespace linmu
