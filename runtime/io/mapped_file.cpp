#include "runtime/io/mapped_file.h"
#include "runtime/core/error.h"
#include "runtime/io/file_place.h"
#include "runtime/io/mapping_fault.h"
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace linmu {
namespace {

[[noreturn]] void failOpening(const std::filesystem::path &path, int error) {
  throw Error(ErrorCode::io,
              fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(error)));
}

} // namespace

MappedFile::MappedFile(const std::filesystem::path &path) {
  // O_NONBLOCK: a FIFO that nobody writes would not even open.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0)
    failOpening(path, errno);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    const bool folder = S_ISDIR(status.st_mode);
    throw Error(ErrorCode::io,
                fmt::format("cannot read {}: {}", path.string(),
                            folder ? "it is a folder"
                                   : "it is " + kindOf(status) +
                                         ", and its parts are read in any order; give the name of a file"));
  }
  if (status.st_size > 0) {
    void *mapped = ::mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int error = errno;
    if (mapped == MAP_FAILED) {
      ::close(descriptor);
      failOpening(path, error);
    }
    bytes_ = {static_cast<const std::byte *>(mapped), static_cast<std::size_t>(status.st_size)};
    rememberMapping(bytes_, path);
  }
  ::close(descriptor); // the mapping outlives the descriptor
}

MappedFile::~MappedFile() {
  if (bytes_.empty())
    return;
  forgetMapping(bytes_);
  ::munmap(const_cast<std::byte *>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile &&other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

void MappedFile::leavePages(std::span<const std::byte> part) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = (begin + page - 1) / page * page, last = (begin + part.size()) / page * page;
  if (first < last) // a hint: that it fails changes no value
    ::madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED);
}

} // namespace linmu
