#include "models/tools/gpu_libraries.h"
#include <dlfcn.h>

namespace linmu::tools {
namespace {

template <typename Function> Function *symbol(void *library, const char *name) {
  return reinterpret_cast<Function *>(::dlsym(library, name));
}

} // namespace

std::optional<CudaDriver> findCudaDriver() {
  void *library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return std::nullopt;
  // CUDA driver API: int is CUresult, 0 success, and CUdevice.
  auto *versionOf = symbol<int(int *)>(library, "cuDriverGetVersion");
  auto *initialise = symbol<int(unsigned)>(library, "cuInit");
  auto *countOf = symbol<int(int *)>(library, "cuDeviceGetCount");
  auto *nameOf = symbol<int(char *, int, int)>(library, "cuDeviceGetName");
  int version = 0, count = 0;
  if (!versionOf || versionOf(&version) != 0)
    return std::nullopt;
  CudaDriver driver{std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10), {}};
  if (initialise && countOf && nameOf && initialise(0) == 0 && countOf(&count) == 0)
    for (int device = 0; device < count; ++device) {
      char name[256] = "";
      if (nameOf(name, sizeof name, device) == 0)
        driver.devices.emplace_back(name);
    }
  return driver;
}

std::optional<Nvrtc> findNvrtc(const std::optional<std::filesystem::path> &torch_folder) {
  std::vector<std::string> candidates = {"libnvrtc.so.13", "libnvrtc.so.12"};
  if (torch_folder)
    for (const char *place : {"nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cuda_nvrtc/lib/libnvrtc.so.12"})
      candidates.push_back((torch_folder->parent_path() / place).string());
  for (const std::string &candidate : candidates) {
    void *library = ::dlopen(candidate.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (!library)
      continue;
    int major = 0, minor = 0;
    auto *versionOf = symbol<int(int *, int *)>(library, "nvrtcVersion");
    if (versionOf && versionOf(&major, &minor) == 0)
      return Nvrtc{std::to_string(major) + "." + std::to_string(minor), candidate};
  }
  return std::nullopt;
}

} // namespace linmu::tools
