// NVIDIA's driver and run-time compiler, for `linmu doctor`.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace linmu::tools {

struct CudaDriver {
  std::string version;              ///< of CUDA, as the driver supports it: "13.0"
  std::vector<std::string> devices; ///< their names
};

/// Nothing where there is no driver.
std::optional<CudaDriver> findCudaDriver();

struct Nvrtc {
  std::string version;
  std::string library; ///< as it was opened
};

/// From the system, or from the packages that torch in `torch_folder` brings along.
std::optional<Nvrtc> findNvrtc(const std::optional<std::filesystem::path> &torch_folder);

} // namespace linmu::tools
