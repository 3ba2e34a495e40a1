// The library; see fake_cuda_driver.h. Functions have the driver's names and parameters.
#include "tests/unit/fake_cuda_driver.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>

using linmu::test::FakeCuda;

namespace {

struct FakeContext {
  int device;
};
struct FakeFunction {
  std::string name;
};
struct FakeModule {
  std::string image;
  int device;
};

FakeCuda state;
FakeContext primary[8] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
thread_local std::vector<FakeContext *> stack;
thread_local int capture_mode = 0;
long long last_words[64];

template <typename... Parts> std::string text(const Parts &...parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

/// Records a call; what the test wants it to return, or 0.
int record(const char *function, const std::string &arguments = {}) {
  std::lock_guard lock(state.mutex);
  state.calls.push_back(arguments.empty() ? function : std::string(function) + " " + arguments);
  auto failure = state.failures.find(function);
  return failure == state.failures.end() ? 0 : failure->second;
}

int currentDevice() { return stack.empty() ? -1 : stack.back()->device; }

constexpr int invalid_value = 1, invalid_context = 201, not_found = 500;

} // namespace

extern "C" {

__attribute__((visibility("default"))) FakeCuda *linmu_fake_cuda() { return &state; }

/// For tests in Python: the calls so far, a line each, which are forgotten. Good until the next call.
__attribute__((visibility("default"))) const char *linmu_fake_cuda_take_calls() {
  static std::string lines;
  lines.clear();
  std::lock_guard lock(state.mutex);
  for (const std::string &call : state.calls)
    lines += call + "\n";
  state.calls.clear();
  return lines.c_str();
}

/// Kernel `name` takes so many words of arguments.
__attribute__((visibility("default"))) void linmu_fake_cuda_takes(const char *name, int words) {
  state.argument_bytes[name] = std::size_t(words) * 8;
}

/// The arguments of the last launch, as many as the stand-in was told in `argument_bytes`, at most 64 words.
__attribute__((visibility("default"))) const long long *linmu_fake_cuda_last_words() { return last_words; }

#define FAKE __attribute__((visibility("default"))) int

FAKE cuInit(unsigned) { return record("cuInit"); }

FAKE cuDriverGetVersion(int *version) {
  *version = 13000;
  return record("cuDriverGetVersion");
}

FAKE cuDeviceGetCount(int *count) {
  *count = int(state.devices.size());
  return record("cuDeviceGetCount");
}

FAKE cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return 0;
}

FAKE cuDeviceGetName(char *name, int bytes, int device) {
  std::snprintf(name, std::size_t(bytes), "%s", state.devices[std::size_t(device)].name.c_str());
  return 0;
}

FAKE cuDeviceGetAttribute(int *value, int attribute, int device) {
  const FakeCuda::FakeDevice &fake = state.devices[std::size_t(device)];
  switch (attribute) {
  case 16:
    *value = 132;
    return 0;
  case 75:
    *value = fake.major;
    return 0;
  case 76:
    *value = fake.minor;
    return 0;
  case 81:
    *value = 228 << 10;
    return 0;
  case 97:
    *value = fake.shared_per_block;
    return 0;
  }
  return invalid_value;
}

FAKE cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = &primary[device];
  return record("cuDevicePrimaryCtxRetain", text(device));
}

FAKE cuCtxGetCurrent(void **context) {
  *context = stack.empty() ? nullptr : stack.back();
  return record("cuCtxGetCurrent");
}

FAKE cuCtxPushCurrent_v2(void *context) {
  stack.push_back(static_cast<FakeContext *>(context));
  return record("cuCtxPushCurrent", text(currentDevice()));
}

FAKE cuCtxPopCurrent_v2(void **context) {
  if (stack.empty())
    return invalid_context;
  *context = stack.back();
  stack.pop_back();
  return record("cuCtxPopCurrent");
}

FAKE cuCtxGetDevice(int *device) {
  *device = currentDevice();
  return record("cuCtxGetDevice");
}

FAKE cuPointerGetAttribute(void *value, int attribute, unsigned long long) {
  *static_cast<int *>(value) = 0;
  return attribute == 9 ? 0 : invalid_value;
}

FAKE cuModuleLoadData(void **module, const void *image) {
  if (stack.empty())
    return invalid_context;
  auto *loaded = new FakeModule{static_cast<const char *>(image), currentDevice()};
  *module = loaded;
  return record("cuModuleLoadData",
                text("'", loaded->image, "' device=", currentDevice(), capture_mode == 2 ? " relaxed" : ""));
}

FAKE cuModuleUnload(void *module) {
  std::unique_ptr<FakeModule> loaded(static_cast<FakeModule *>(module));
  return record("cuModuleUnload", text("'", loaded->image, "' device=", loaded->device));
}

FAKE cuModuleGetFunction(void **function, void *module, const char *name) {
  std::istringstream names(static_cast<FakeModule *>(module)->image);
  for (std::string word; names >> word;)
    if (word == name) {
      *function = new FakeFunction{name};
      return record("cuModuleGetFunction", name);
    }
  return not_found;
}

FAKE cuFuncGetAttribute(int *value, int attribute, void *function) {
  *value = state.most_threads;
  return attribute == 0 ? record("cuFuncGetAttribute", static_cast<FakeFunction *>(function)->name)
                        : invalid_value;
}

FAKE cuFuncSetAttribute(void *function, int attribute, int value) {
  return record("cuFuncSetAttribute",
                text(static_cast<FakeFunction *>(function)->name, " ", attribute, "=", value));
}

FAKE cuFuncGetParamInfo(void *function, std::size_t index, std::size_t *offset, std::size_t *bytes) {
  *offset = 0;
  *bytes = state.argument_bytes[static_cast<FakeFunction *>(function)->name];
  return *bytes == 0 || index != 0 ? invalid_value : 0;
}

FAKE cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned block_x, unsigned block_y,
                    unsigned block_z, unsigned shared, void *stream, void **parameters, void **extra) {
  const std::string &name = static_cast<FakeFunction *>(function)->name;
  if (y != 1 || z != 1 || block_y != 1 || block_z != 1 || extra || x == 0)
    return invalid_value;
  if (stack.empty())
    return invalid_context;
  if (int failure = record("cuLaunchKernel", text(name, " blocks=", x, " threads=", block_x, " shared=",
                                                  shared, " stream=", stream, " device=", currentDevice())))
    return failure;
  if (auto bytes = state.argument_bytes.find(name); bytes != state.argument_bytes.end())
    std::memcpy(last_words, parameters[0], std::min(bytes->second, sizeof last_words));
  if (auto kernel = state.kernels.find(name); kernel != state.kernels.end())
    for (unsigned block = 0; block < x; ++block)
      kernel->second({static_cast<const long long *>(parameters[0]), 512}, block);
  return 0;
}

FAKE cuMemAllocAsync(unsigned long long *memory, std::size_t bytes, void *stream) {
  if (int failure = record("cuMemAllocAsync", text(bytes, " stream=", stream)))
    return failure;
  *memory = reinterpret_cast<unsigned long long>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  ++state.live_allocations;
  return 0;
}

FAKE cuMemFreeAsync(unsigned long long memory, void *stream) {
  std::free(reinterpret_cast<void *>(memory));
  --state.live_allocations;
  return record("cuMemFreeAsync", text("stream=", stream));
}

FAKE cuMemcpyHtoDAsync_v2(unsigned long long device, const void *host, std::size_t bytes, void *stream) {
  std::memcpy(reinterpret_cast<void *>(device), host, bytes);
  return record("cuMemcpyHtoDAsync", text(bytes, " stream=", stream));
}

FAKE cuMemcpyDtoHAsync_v2(void *host, unsigned long long device, std::size_t bytes, void *stream) {
  std::memcpy(host, reinterpret_cast<const void *>(device), bytes);
  return record("cuMemcpyDtoHAsync", text(bytes, " stream=", stream));
}

FAKE cuStreamSynchronize(void *stream) { return record("cuStreamSynchronize", text("stream=", stream)); }

FAKE cuStreamIsCapturing(void *stream, int *status) {
  *status = int(state.capturing.count(stream));
  return record("cuStreamIsCapturing");
}

FAKE cuThreadExchangeStreamCaptureMode(int *mode) {
  std::swap(*mode, capture_mode);
  return 0;
}

FAKE cuGetErrorName(int status, const char **name) {
  *name = status == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : status == 3 ? "CUDA_ERROR_NOT_INITIALIZED" : nullptr;
  return 0;
}

FAKE cuGetErrorString(int status, const char **reason) {
  *reason = status == 2 ? "out of memory" : nullptr;
  return 0;
}
}
