#include "runtime/jit/disk_cache.h"
#include "runtime/core/error.h"
#include "runtime/io/file_place.h"
#include "runtime/io/interruption.h"
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace linmu::jit {

namespace {

constexpr const char *hint = "set LINMU_CACHE_DIR to a folder of your own, or LINMU_DISK_CACHE=0";

[[noreturn]] void refuse(const std::filesystem::path &folder, const std::string &why) {
  throw Error(ErrorCode::io, "kernel cache folder '" + folder.string() + "': " + why, hint);
}

std::string octal(unsigned mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", mode & 07777);
  return text;
}

/// Creates what is missing of `path`, each folder with mode 0700 whatever the umask, from the first name to
/// the last, so that "..", "." and a slash at the end mean what they mean to the system. A link that leads
/// nowhere yet is followed. On failure errno says why.
bool createPrivately(const std::filesystem::path &path) {
  std::filesystem::path made;
  for (const std::filesystem::path &name : path) {
    made /= name;
    struct stat status{};
    if (name.empty() || stat(made.c_str(), &status) == 0) // empty: after a slash at the end
      continue;
    if (errno != ENOENT)
      return false;
    std::filesystem::path target = followLinks(made).path;
    if (target != made) {
      if (!createPrivately(target))
        return false;
    } else if (mkdir(made.c_str(), 0700) == 0) {
      if (chmod(made.c_str(), 0700) != 0)
        return false;
    } else if (errno != EEXIST) { // another process may have been faster
      return false;
    }
  }
  return true;
}

struct File {
  int descriptor;
  ~File() {
    if (descriptor >= 0)
      close(descriptor);
  }
};

} // namespace

DiskCache::DiskCache(const std::filesystem::path &folder) {
  if (folder.empty())
    throw Error(ErrorCode::io, "the kernel cache has no folder: neither LINMU_CACHE_DIR nor HOME is set",
                hint);
  folder_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0 && errno == ENOENT) {
    if (!createPrivately(folder))
      refuse(folder, std::string("cannot be created: ") + std::strerror(errno));
    folder_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (folder_ < 0)
    refuse(folder, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status{};
  fstat(folder_, &status);
  std::string why;
  if (status.st_uid != geteuid())
    why = "expected to belong to user " + std::to_string(geteuid()) + ", got user " +
          std::to_string(status.st_uid);
  else if (status.st_mode & 022)
    why = "expected a folder that only its owner can write (mode 0700), got mode " + octal(status.st_mode);
  if (!why.empty()) {
    close(folder_);
    refuse(folder, why);
  }
}

DiskCache::~DiskCache() { close(folder_); }

std::optional<std::vector<std::byte>> DiskCache::read(const std::string &name) const {
  File file{openat(folder_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat status{};
  if (file.descriptor < 0 || fstat(file.descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  std::vector<std::byte> content(std::size_t(status.st_size));
  std::size_t done = 0;
  while (done < content.size()) {
    ssize_t got = ::read(file.descriptor, content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    done += std::size_t(got);
  }
  content.resize(done); // a file that is shorter than it says fails its checksum
  return content;
}

bool DiskCache::write(const std::string &name, std::span<const std::byte> content) const {
  static std::atomic<unsigned> counter{0};
  Uninterrupted scope; // an entry is small
  std::string temporary = "." + name + "." + std::to_string(getpid()) + "." + std::to_string(counter++);
  bool complete = false;
  {
    File file{openat(folder_, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (file.descriptor < 0)
      return false;
    fchmod(file.descriptor, 0600); // whatever the umask
    std::size_t done = 0;
    while (done < content.size()) {
      ssize_t put = ::write(file.descriptor, content.data() + done, content.size() - done);
      if (put < 0 && errno == EINTR)
        continue;
      if (put <= 0)
        break;
      done += std::size_t(put);
    }
    complete = done == content.size();
  }
  if (complete && renameat(folder_, temporary.c_str(), folder_, name.c_str()) == 0)
    return true;
  unlinkat(folder_, temporary.c_str(), 0);
  return false;
}

} // namespace linmu::jit
