// What the fuzz targets share.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace linmu::test {

using Bytes = std::span<const std::byte>;

/// Gives `bytes`, whatever they are, to a reader, which takes them or throws linmu::Error with a message.
/// Anything else ends the program.
void fuzz(Bytes bytes);

inline std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// `bytes` as a file in memory, for readers that take a path.
class FileInMemory {
public:
  explicit FileInMemory(Bytes bytes) : file_(::memfd_create("input", MFD_CLOEXEC)) {
    if (file_ < 0 || ::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("a file in memory cannot be written");
  }
  ~FileInMemory() { ::close(file_); }
  FileInMemory(const FileInMemory &) = delete;
  FileInMemory &operator=(const FileInMemory &) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

private:
  int file_;
};

/// An error says something.
inline void checkMessage(std::string_view message) {
  if (message.empty())
    std::abort();
}

/// Reads every byte, so that a sanitizer sees those that are not there.
inline void touch(Bytes bytes) {
  unsigned sum = 0;
  for (std::byte byte : bytes)
    sum += std::to_integer<unsigned>(byte);
  [[maybe_unused]] volatile unsigned kept = sum;
}

} // namespace linmu::test
