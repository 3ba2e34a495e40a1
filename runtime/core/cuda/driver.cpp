#include "runtime/core/cuda/driver.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include <dlfcn.h>

namespace linmu::cuda {

namespace {

std::string describe(const Driver &driver, Status status) {
  const char *name = nullptr, *text = nullptr;
  driver.error_name(status, &name);
  driver.error_text(status, &text);
  std::string result = name ? name : "error " + std::to_string(status);
  return text ? result + " (" + text + ")" : result;
}

/// Resolves functions of one library.
class Library {
public:
  explicit Library(const std::string &path)
      : path_(path), handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_)
      throw Error(ErrorCode::unsupported,
                  "CUDA needs NVIDIA's driver, which this machine lacks: " + std::string(dlerror()));
  }

  template <typename Pointer> bool find(Pointer &function, const char *name) const {
    function = reinterpret_cast<Pointer>(dlsym(handle_, name));
    return function != nullptr;
  }

  template <typename Pointer> void resolve(Pointer &function, const char *name) const {
    if (!find(function, name))
      throw Error(ErrorCode::unsupported,
                  "CUDA needs a driver of CUDA 11.2 or later: '" + path_ + "' has no " + name);
  }

private:
  std::string path_;
  void *handle_; // stays open: the driver cannot be unloaded
};

} // namespace

Driver Driver::load(const std::string &path) {
  Library library(path);
  Driver driver{};
  // The suffixes are versions of the functions' parameters, as cuda.h chooses them.
  library.resolve(driver.init, "cuInit");
  library.resolve(driver.driver_version, "cuDriverGetVersion");
  library.resolve(driver.device_count, "cuDeviceGetCount");
  library.resolve(driver.device_get, "cuDeviceGet");
  library.resolve(driver.device_name, "cuDeviceGetName");
  library.resolve(driver.device_attribute, "cuDeviceGetAttribute");
  library.resolve(driver.primary_context_retain, "cuDevicePrimaryCtxRetain");
  library.resolve(driver.context_current, "cuCtxGetCurrent");
  library.resolve(driver.context_push, "cuCtxPushCurrent_v2");
  library.resolve(driver.context_pop, "cuCtxPopCurrent_v2");
  library.resolve(driver.context_device, "cuCtxGetDevice");
  library.resolve(driver.pointer_attribute, "cuPointerGetAttribute");
  library.resolve(driver.module_load, "cuModuleLoadData");
  library.resolve(driver.module_unload, "cuModuleUnload");
  library.resolve(driver.module_function, "cuModuleGetFunction");
  library.resolve(driver.function_attribute, "cuFuncGetAttribute");
  library.resolve(driver.function_set_attribute, "cuFuncSetAttribute");
  library.find(driver.function_parameter, "cuFuncGetParamInfo");
  library.resolve(driver.launch, "cuLaunchKernel");
  library.resolve(driver.allocate_async, "cuMemAllocAsync");
  library.resolve(driver.free_async, "cuMemFreeAsync");
  library.resolve(driver.copy_to_device_async, "cuMemcpyHtoDAsync_v2");
  library.resolve(driver.copy_to_host_async, "cuMemcpyDtoHAsync_v2");
  library.resolve(driver.stream_synchronize, "cuStreamSynchronize");
  library.resolve(driver.stream_capturing, "cuStreamIsCapturing");
  library.resolve(driver.exchange_capture_mode, "cuThreadExchangeStreamCaptureMode");
  library.resolve(driver.error_name, "cuGetErrorName");
  library.resolve(driver.error_text, "cuGetErrorString");
  if (Status status = driver.init(0))
    throw Error(ErrorCode::unsupported, status == abi::no_device
                                            ? "CUDA needs a GPU, and the driver finds none"
                                            : "NVIDIA's driver does not start: " + describe(driver, status));
  return driver;
}

const Driver &Driver::instance() {
  // A failure is not kept: the next call tries again.
  static const Driver driver = load(Settings::current().cuda_driver);
  return driver;
}

void Driver::check(Status status, const std::string &what) const {
  if (status == 0)
    return;
  std::string hint;
  if (status == abi::not_initialized)
    hint = "a process that forked after its parent used CUDA cannot use it; start it anew instead";
  throw Error(ErrorCode::io, what + ": the CUDA driver says " + describe(*this, status), hint);
}

} // namespace linmu::cuda
