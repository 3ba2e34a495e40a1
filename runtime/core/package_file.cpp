#include "runtime/core/package_file.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/error.h"
#include "runtime/core/package.h"
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace linmu {

namespace {

[[noreturn]] void refuse(const std::filesystem::path &path, const std::string &why) {
  throw Error(ErrorCode::io, "cannot read " + path.string() + ": " + why);
}

[[noreturn]] void refuse(const std::filesystem::path &path, int error) {
  refuse(path, std::generic_category().message(error));
}

class RegularFile {
public:
  explicit RegularFile(const std::filesystem::path &path) : path_(path) {
    // O_NONBLOCK: a FIFO that nobody writes would not even open.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor_ < 0)
      refuse(path, errno);
    struct stat status{};
    const int failed = ::fstat(descriptor_, &status);
    if (failed || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      refuse(path, S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
    }
  }
  ~RegularFile() { ::close(descriptor_); }
  RegularFile(const RegularFile &) = delete;
  RegularFile &operator=(const RegularFile &) = delete;

  /// At most `size` bytes more; fewer only at the end of the file.
  std::vector<std::byte> read(std::size_t size) {
    std::vector<std::byte> bytes(size);
    std::size_t filled = 0;
    while (filled < size) {
      const ssize_t got = ::read(descriptor_, bytes.data() + filled, size - filled);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        refuse(path_, errno);
      if (got == 0)
        break;
      filled += std::size_t(got);
    }
    bytes.resize(filled);
    return bytes;
  }

private:
  const std::filesystem::path &path_;
  int descriptor_ = -1;
};

} // namespace

bool isPackageFile(const std::filesystem::path &path) {
  if (path.extension() == ".lmk")
    return true;
  std::error_code status;
  if (!std::filesystem::is_regular_file(path, status))
    return false;
  try {
    return isPackage(RegularFile(path).read(sizeof(std::uint64_t)));
  } catch (const Error &) {
    return false;
  }
}

std::vector<std::byte> readPackageFile(const std::filesystem::path &path) {
  RegularFile file(path);
  constexpr std::size_t block = std::size_t(1) << 20;
  std::vector<std::byte> bytes = file.read(block);
  // What is no package is not read to its end, which may be far.
  if (!isPackage(bytes))
    throw Error(ErrorCode::corruptFile, path.string() + ": is not a kernel package");
  while (bytes.size() % block == 0) {
    std::vector<std::byte> more = file.read(block);
    if (more.empty())
      break;
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  return bytes;
}

} // namespace linmu
