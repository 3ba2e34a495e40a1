// From the CUDA source in a package to its machine code.
#pragma once
#include "runtime/core/package.h"
#include "runtime/jit/disk_cache.h"
#include "runtime/jit/target.h"
#include <cstdint>
#include <span>

namespace linmu::jit {

struct ImageCounts {
  std::int64_t compiled = 0, disk_hits = 0, corrupt = 0, unwritten = 0;
};

/// `package` with an image for each of `architectures` in the place of its source. Images are kept in `disk`,
/// if given, by the source, the architecture, the library of NVRTC and its options;
/// `package_folders` are for Nvrtc::find(). Throws Error(unsupported)
/// where there is no NVRTC and Error(internal) with its log where it refuses the source.
Package withImages(Package package, std::span<const cuda::Architecture> architectures, const DiskCache *disk,
                   ImageCounts &counts, std::span<const std::filesystem::path> package_folders = {});

} // namespace linmu::jit
