#include "tests/gpu/gpu.h"
#include "runtime/core/cuda/devices.h"
#include "runtime/core/cuda/driver.h"
#include "runtime/core/settings.h"
#include <dlfcn.h>
#include <stdexcept>

namespace linmu::test {

namespace {

using Address = unsigned long long;

/// Calls the driver's function `name`.
template <typename... Arguments> void call(const char *name, Arguments... arguments) {
  static void *library = dlopen(Settings::current().cuda_driver.c_str(), RTLD_NOW | RTLD_LOCAL);
  auto function = library ? reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name)) : nullptr;
  if (!function)
    throw std::runtime_error(std::string("the driver has no ") + name);
  if (int status = function(arguments...))
    throw std::runtime_error(std::string(name) + " returns " + std::to_string(status));
}

} // namespace

int Gpu::count() { return int(cuda::devices().size()); }

Gpu::Gpu(int ordinal) {
  void *context = nullptr;
  call("cuDevicePrimaryCtxRetain", &context, cuda::deviceAt(ordinal).handle);
  call("cuCtxSetCurrent", context);
}

void *Gpu::allocate(std::size_t bytes) {
  Address memory = 0;
  call("cuMemAlloc_v2", &memory, bytes);
  return reinterpret_cast<void *>(memory);
}

void Gpu::free(void *memory) { call("cuMemFree_v2", reinterpret_cast<Address>(memory)); }

void Gpu::upload(void *device, const void *host, std::size_t bytes) {
  call("cuMemcpyHtoD_v2", reinterpret_cast<Address>(device), host, bytes);
}

void Gpu::download(void *host, const void *device, std::size_t bytes) {
  call("cuMemcpyDtoH_v2", host, reinterpret_cast<Address>(device), bytes);
}

void *Gpu::createStream() {
  void *stream = nullptr;
  call("cuStreamCreate", &stream, 1u); // CU_STREAM_NON_BLOCKING
  return stream;
}

void Gpu::synchronize(void *stream) { call("cuStreamSynchronize", stream); }

void Gpu::synchronize() { call("cuCtxSynchronize"); }

void Gpu::beginCapture(void *stream) { call("cuStreamBeginCapture_v2", stream, 0); } // global: the strictest

void *Gpu::endCapture(void *stream) {
  void *graph = nullptr, *ready = nullptr;
  call("cuStreamEndCapture", stream, &graph);
  call("cuGraphInstantiateWithFlags", &ready, graph, 0ull);
  return ready;
}

void Gpu::launchGraph(void *graph, void *stream) { call("cuGraphLaunch", graph, stream); }

} // namespace linmu::test
