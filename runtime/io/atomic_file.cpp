#include "runtime/io/atomic_file.h"
#include "runtime/core/error.h"
#include "runtime/io/file_place.h"
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace linmu {
namespace {

constexpr auto longest_wait_for_reader = std::chrono::seconds(2);

std::filesystem::path folderOf(const std::filesystem::path &path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

/// Short, so that a target's name may be as long as the file system allows.
std::string temporaryIn(const std::filesystem::path &folder) { return (folder / ".linmu-XXXXXX").string(); }

bool takesNewFiles(const std::filesystem::path &folder) {
  return ::eaccess(folder.c_str(), W_OK | X_OK) == 0;
}

/// Access lists, capabilities and what users attach; not what the system attaches to each file by itself.
bool hasAttributes(const std::filesystem::path &path) {
  std::vector<char> names(1 << 16);
  ssize_t size = ::listxattr(path.c_str(), names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    std::string_view name(names.data() + at);
    if (name != "security.selinux" && name != "security.ima" && name != "security.evm")
      return true;
    at += ssize_t(name.size()) + 1;
  }
  return false;
}

bool writeAll(int descriptor, const void *data, std::size_t size) {
  const char *next = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t written = ::write(descriptor, next, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    next += written;
    size -= std::size_t(written);
  }
  return true;
}

/// From the start of one to the start of the other, whose length becomes that of the first.
bool copyAll(int from, int to, off_t size) {
  std::array<char, 1 << 16> block;
  for (off_t at = 0; at < size;) {
    ssize_t got = ::pread(from, block.data(), block.size(), at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      errno = got < 0 ? errno : EIO;
      return false;
    }
    if (!writeAll(to, block.data(), std::size_t(got)))
      return false;
    at += got;
  }
  return ::ftruncate(to, size) == 0 && ::fsync(to) == 0;
}

} // namespace

AtomicFile::AtomicFile(const std::filesystem::path &target, Folders folders)
    : target_(target), folders_(folders) {
  if (target.empty())
    throw Error(ErrorCode::io, "an output file requires a path, got an empty one");
  FilePlace place = followLinks(target);
  path_ = place.path;
  struct stat status{};
  if (place.descriptor) {
    way_ = Way::stream;
    int flags = ::fcntl(*place.descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
      fail(EBADF);
    descriptor_ = ::fcntl(*place.descriptor, F_DUPFD_CLOEXEC, 3);
    if (descriptor_ < 0)
      fail(errno);
  } else if (::stat(path_.c_str(), &status) == 0) {
    checkExisting(status);
  } else if (errno == ENOENT) {
    checkNew();
  } else {
    fail(errno);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::checkExisting(const struct stat &status) {
  if (!S_ISREG(status.st_mode)) {
    openStream(status);
    return;
  }
  int descriptor = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0)
    fail(errno);
  ::close(descriptor);
  existing_ = status;
  bool owner_can_be_kept = status.st_uid == ::geteuid() || ::geteuid() == 0;
  if (status.st_nlink > 1 || !owner_can_be_kept || hasAttributes(path_) || !takesNewFiles(folderOf(path_)))
    way_ = Way::copy;
}

void AtomicFile::checkNew() {
  if (!path_.has_filename())
    refuse("is a folder");
  std::filesystem::path folder = folderOf(path_);
  std::error_code error;
  if (folders_ == Folders::create)
    while (!std::filesystem::exists(folder, error) && !error && folder != folderOf(folder))
      folder = folderOf(folder);
  if (!std::filesystem::exists(folder, error))
    refuse("there is no folder " + folder.string());
  if (!std::filesystem::is_directory(folder, error))
    refuse(folder.string() + " is not a folder");
  // Trying is surer than asking: nothing can be made in some folders that root may write.
  std::string name = temporaryIn(folder);
  Uninterrupted scope;
  int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0)
    fail(errno);
  ::close(descriptor);
  ::unlink(name.c_str());
}

void AtomicFile::openStream(const struct stat &status) {
  if (S_ISDIR(status.st_mode))
    refuse("is a folder");
  if (S_ISSOCK(status.st_mode))
    refuse("is a socket");
  way_ = Way::stream;
  // Without O_NONBLOCK a FIFO would wait for its reader, perhaps for ever.
  int wait = S_ISFIFO(status.st_mode) ? O_NONBLOCK : 0;
  auto end = std::chrono::steady_clock::now() + longest_wait_for_reader;
  while ((descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | wait)) < 0) {
    if (errno == EINTR)
      continue;
    if (errno != ENXIO || !S_ISFIFO(status.st_mode))
      fail(errno);
    if (std::chrono::steady_clock::now() > end)
      refuse("no program reads this FIFO; start its reader first");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (wait)
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
}

void AtomicFile::openTemporary() {
  std::filesystem::path folder = folderOf(path_);
  if (folders_ == Folders::create) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
      fail(error.value());
  }
  if (way_ == Way::copy && !takesNewFiles(folder)) {
    descriptor_ = ::memfd_create("linmu output", MFD_CLOEXEC);
    if (descriptor_ < 0)
      fail(errno);
    return;
  }
  int error = 0;
  {
    Uninterrupted scope;
    std::string name = temporaryIn(folder);
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    error = errno;
    if (descriptor_ >= 0) {
      temporary_ = name;
      removed_on_signal_.emplace(name);
    }
  }
  if (descriptor_ < 0)
    fail(error);
}

void AtomicFile::write(const void *data, std::size_t size) {
  if (descriptor_ < 0)
    openTemporary();
  if (way_ == Way::stream)
    std::fflush(stdout); // should that be the same, what was printed before stays before
  if (!writeAll(descriptor_, data, size))
    fail(errno);
}

void AtomicFile::commit() {
  if (descriptor_ < 0)
    openTemporary();
  if (way_ == Way::stream) {
    int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0)
      fail(errno);
    return;
  }
  if (way_ == Way::copy || !replace())
    copyInto();
  discard();
}

/// False if the temporary file cannot take the place of `existing_` with its owner and mode, and copying into
/// that is left.
bool AtomicFile::replace() {
  mode_t mode = 0;
  if (existing_) {
    mode = existing_->st_mode & 07777;
    struct stat made{};
    bool same_owner = ::fstat(descriptor_, &made) == 0 && made.st_uid == existing_->st_uid &&
                      made.st_gid == existing_->st_gid;
    if (!same_owner && ::fchown(descriptor_, existing_->st_uid, existing_->st_gid) != 0)
      return false;
  } else {
    // mkostemp makes the file private; it should have the permissions of any new file.
    mode_t mask = ::umask(0);
    ::umask(mask);
    mode = 0666 & ~mask;
  }
  if (::fchmod(descriptor_, mode) != 0 || ::fsync(descriptor_) != 0)
    fail(errno);
  Uninterrupted scope;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    // A file that is mounted by itself, or somebody else's in a folder like /tmp, cannot be replaced.
    if (existing_ && (errno == EBUSY || errno == EPERM || errno == EACCES))
      return false;
    fail(errno);
  }
  temporary_.clear();
  removed_on_signal_.reset();
  return true;
}

/// No file system replaces the content of a file that has other names at once, so this comes as near as can
/// be: the content is complete in the temporary file, the space for it is reserved in the target before the
/// first byte of that changes, and signals wait. What remains are a crash of the machine and a failing disk.
/// After an error of the disk the temporary file is kept and named.
void AtomicFile::copyInto() {
  struct stat status{};
  int to = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (to < 0 || ::fstat(descriptor_, &status) != 0) {
    int error = errno;
    if (to >= 0)
      ::close(to);
    fail(error);
  }
  int error = 0;
  bool changed = false;
  {
    Uninterrupted scope;
    if (status.st_size > existing_->st_size && ::fallocate(to, FALLOC_FL_KEEP_SIZE, 0, status.st_size) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS) {
      error = errno;
    } else if (!copyAll(descriptor_, to, status.st_size)) {
      error = errno;
      changed = true;
    }
    ::close(to);
    if (changed)
      keepTemporary();
  }
  if (changed)
    throw Error(ErrorCode::io, "cannot write " + target_.string() +
                                   " to its end: " + std::generic_category().message(error) +
                                   (temporary_.empty() ? "" : "; the whole content is in " + temporary_));
  if (error != 0)
    fail(error);
}

void AtomicFile::keepTemporary() {
  removed_on_signal_.reset();
  ::close(descriptor_);
  descriptor_ = -1;
}

void AtomicFile::discard() {
  if (descriptor_ < 0)
    return;
  ::close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty())
    ::unlink(temporary_.c_str());
  removed_on_signal_.reset();
}

void AtomicFile::fail(int error) { refuse(std::generic_category().message(error)); }

void AtomicFile::refuse(const std::string &why) {
  discard();
  throw Error(ErrorCode::io, "cannot write " + target_.string() + ": " + why);
}

} // namespace linmu
