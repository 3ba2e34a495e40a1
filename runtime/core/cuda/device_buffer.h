// Memory of a CUDA device for programs that have no library of tensors.
#pragma once
#include "runtime/core/tensor_view.h"
#include <cstddef>
#include <cstdint>
#include <span>

namespace linmu::cuda {

/// Bytes on one device, for work on its legacy default stream.
class DeviceBuffer {
public:
  /// Throws Error(io) if there are not so many.
  DeviceBuffer(std::int32_t ordinal, std::int64_t bytes);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer &&other) noexcept;
  DeviceBuffer &operator=(DeviceBuffer &&) = delete;

  /// Both wait for the copy, and so for all work on the stream before it.
  void upload(std::span<const std::byte> host);
  void download(std::span<std::byte> host) const;

  /// `host`, which is contiguous, as it lies here.
  TensorView view(TensorView host) const;

private:
  std::int32_t ordinal_;
  void *data_ = nullptr;
};

} // namespace linmu::cuda
