#include "runtime/io/atomic_file.h"
#include "runtime/core/error.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace linmu {

AtomicFile::AtomicFile(const std::filesystem::path &target)
    : target_(target), name_(target.string() + ".XXXXXX") {
  descriptor_ = ::mkostemp(name_.data(), O_CLOEXEC);
  if (descriptor_ < 0)
    fail();
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::write(const void *data, std::size_t size) {
  const char *next = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t written = ::write(descriptor_, next, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      fail();
    next += written;
    size -= std::size_t(written);
  }
}

void AtomicFile::commit() {
  // mkostemp makes the file private; it should have the permissions of any new file.
  mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor_, 0666 & ~mask) != 0 || ::fsync(descriptor_) != 0 ||
      ::rename(name_.c_str(), target_.c_str()) != 0)
    fail();
  ::close(descriptor_);
  descriptor_ = -1;
}

void AtomicFile::discard() {
  if (descriptor_ < 0)
    return;
  ::close(descriptor_);
  ::unlink(name_.c_str());
  descriptor_ = -1;
}

void AtomicFile::fail() {
  int error = errno;
  discard();
  throw Error(ErrorCode::io,
              "cannot write " + target_.string() + ": " + std::generic_category().message(error));
}

} // namespace linmu
