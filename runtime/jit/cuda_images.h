// From the CUDA sources in a package to their machine code.
#pragma once
#include "runtime/core/package.h"
#include "runtime/jit/disk_cache.h"
#include "runtime/jit/target.h"
#include <cstdint>
#include <span>

namespace linmu::jit {

/// Of images: one a kernel and architecture.
struct ImageCounts {
  std::int64_t compiled = 0;  ///< by NVRTC
  std::int64_t disk_hits = 0; ///< taken from the disk instead
  std::int64_t corrupt = 0;   ///< damaged on the disk; each was compiled again
  std::int64_t unwritten = 0; ///< compiled, but the file system refused to keep it
};

/// `package` with an image of each of its sources for each of `architectures`, in this order, in the place of
/// the sources. Each is kept in `disk`, if given, as soon as it is compiled, by its source with the prelude,
/// the architecture, the library of NVRTC and its options. What the disk lacks is compiled on as many threads
/// as there are processors to use; the code does not depend on their number. `package_folders` are for
/// Nvrtc::find(). Throws Error(unsupported) where there is no NVRTC and Error(internal), which names the
/// kernel, with NVRTC's log where it refuses a source: the first in this order. `counts` stays as it was
/// then.
Package withImages(Package package, std::span<const cuda::Architecture> architectures, const DiskCache *disk,
                   ImageCounts &counts, std::span<const std::filesystem::path> package_folders = {});

} // namespace linmu::jit
