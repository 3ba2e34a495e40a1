// Memory that a thread keeps between launches, so that repeated launches do not allocate.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace linmu {

/// 64-byte aligned, grows to the largest size asked for; content is not kept when it grows.
class ScratchBuffer {
public:
  ScratchBuffer() = default;
  ~ScratchBuffer() { std::free(data_); }
  ScratchBuffer(const ScratchBuffer &) = delete;
  ScratchBuffer &operator=(const ScratchBuffer &) = delete;

  /// At least `bytes` bytes, or null if there is not that much memory.
  std::byte *require(std::int64_t bytes) {
    if (bytes > size_) {
      std::free(data_);
      std::int64_t rounded = (bytes + 63) / 64 * 64;
      data_ = static_cast<std::byte *>(std::aligned_alloc(64, std::size_t(rounded)));
      size_ = data_ ? rounded : 0;
    }
    return data_;
  }

private:
  std::byte *data_ = nullptr;
  std::int64_t size_ = 0;
};

} // namespace linmu
