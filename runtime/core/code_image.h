// Machine code mapped into memory: written first, executable afterwards, never both.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace linmu {

/// What every kernel is called as; see package.h.
using KernelFunction = void (*)(void *const *arguments, std::int64_t first_block, std::int64_t last_block,
                                std::byte *workspace);

class CodeImage {
public:
  /// Maps a copy of `code`. Throws Error(io) if the system refuses executable memory.
  explicit CodeImage(std::span<const std::byte> code);
  ~CodeImage();
  CodeImage(const CodeImage &) = delete;
  CodeImage &operator=(const CodeImage &) = delete;

  KernelFunction function(std::uint64_t entry) const {
    return reinterpret_cast<KernelFunction>(static_cast<std::byte *>(memory_) + entry);
  }

private:
  void *memory_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace linmu
