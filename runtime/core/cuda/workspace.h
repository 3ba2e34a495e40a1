// The memory of a call's temporaries on a CUDA device.
#pragma once
#include "runtime/core/kernel.h"
#include <cstdint>

namespace linmu::cuda {

/// Takes the caller's workspace, or asks its allocator, or else the driver for stream-ordered memory; what
/// was asked for goes back at the end, in the order of the stream.
class Workspace {
public:
  /// A context of device `ordinal` is current. Throws Error naming `signature`: a workspace that is too small
  /// or not aligned, no memory, or a capturing stream and nothing to take memory from.
  Workspace(const Signature &signature, std::int64_t bytes, std::int32_t ordinal,
            const LaunchOptions &options);
  ~Workspace();
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;

  std::byte *data() const { return data_; }

private:
  enum Owner { nobody, caller, allocator, driver } owner_ = nobody;
  std::byte *data_ = nullptr;
  std::int32_t ordinal_;
  const LaunchOptions &options_;
};

} // namespace linmu::cuda
