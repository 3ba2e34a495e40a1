#include "distill/parallel/nccl_library.h"
#include "runtime/core/error.h"
#include <dlfcn.h>
#include <fmt/format.h>

namespace linmu::distill {

static NcclLibrary load() {
  // Already open with torch, so that no path is needed; it stays open.
  void *library = ::dlopen("libnccl.so.2", RTLD_LAZY | RTLD_LOCAL);
  if (!library)
    throw Error(ErrorCode::unsupported, fmt::format("several GPUs need NCCL: {}", ::dlerror()),
                "torch's package for CUDA brings it");
  NcclLibrary found{};
  auto resolve = [&](auto &function, const char *name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    if (!function)
      throw Error(ErrorCode::unsupported, fmt::format("NCCL has no function {}", name));
  };
  resolve(found.getVersion, "ncclGetVersion");
  resolve(found.getUniqueId, "ncclGetUniqueId");
  resolve(found.commInitRank, "ncclCommInitRank");
  resolve(found.commAbort, "ncclCommAbort");
  resolve(found.commDestroy, "ncclCommDestroy");
  resolve(found.allReduce, "ncclAllReduce");
  resolve(found.broadcast, "ncclBroadcast");
  resolve(found.getErrorString, "ncclGetErrorString");
  return found;
}

const NcclLibrary &NcclLibrary::get() {
  static const NcclLibrary library = load();
  return library;
}

void NcclLibrary::check(int result, const char *what) const {
  if (result != success)
    throw Error(ErrorCode::io, fmt::format("NCCL: {}: {}", what, getErrorString(result)));
}

} // namespace linmu::distill
