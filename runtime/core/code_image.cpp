#include "runtime/core/code_image.h"
#include "runtime/core/error.h"
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>

namespace linmu {

CodeImage::CodeImage(std::span<const std::byte> code) : size_(code.size()) {
  if (code.empty())
    return;
  memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED)
    throw Error(ErrorCode::io, "cannot map " + std::to_string(size_) +
                                   " bytes for a kernel's code: " + std::strerror(errno));
  std::memcpy(memory_, code.data(), size_);
  if (mprotect(memory_, size_, PROT_READ | PROT_EXEC) != 0) {
    int reason = errno;
    munmap(memory_, size_);
    throw Error(ErrorCode::io, std::string("the system refuses executable memory for a kernel's code: ") +
                                   std::strerror(reason));
  }
  __builtin___clear_cache(static_cast<char *>(memory_), static_cast<char *>(memory_) + size_);
}

CodeImage::~CodeImage() {
  if (memory_)
    munmap(memory_, size_);
}

} // namespace linmu
