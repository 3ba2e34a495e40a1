#include "runtime/io/atomic_folder.h"
#include "runtime/core/error.h"
#include "runtime/io/file_place.h"
#include "runtime/io/interruption.h"
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace linmu {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view unfinished = ".linmu-unfinished-", removed = ".linmu-removed-";

[[noreturn]] void refuse(const fs::path &path, int error) {
  throw Error(ErrorCode::io, "cannot write " + path.string() + ": " + std::generic_category().message(error));
}

/// Shortened, so that a target's name may be as long as the file system allows.
fs::path beside(const fs::path &target, std::string_view prefix) {
  constexpr std::size_t longest = 200;
  return target.parent_path() / (std::string(prefix) + target.filename().string().substr(0, longest));
}

fs::path parentOf(const fs::path &path) { return path.has_parent_path() ? path.parent_path() : "."; }

void removeTree(const fs::path &path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error)
    refuse(path, error.value());
}

/// Names in the folder stay as they are if the machine goes down.
void bringToDisk(const fs::path &folder) {
  int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool good = descriptor >= 0 && ::fsync(descriptor) == 0;
  int error = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  if (!good)
    refuse(folder, error);
}

fs::path withoutSlash(const fs::path &path) { return path.has_filename() ? path : path.parent_path(); }

/// Whether the new folder `path` is there and empty already.
bool isThere(const fs::path &path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found)
    return false;
  if (error)
    refuse(path, error.value());
  if (!fs::is_directory(status))
    refuse(path, ENOTDIR);
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename() != unfinished) // of a process that was killed
      throw Error(ErrorCode::io, "cannot write " + path.string() + ": the folder holds files",
                  "give a new or empty one");
  if (error)
    refuse(path, error.value());
  return true;
}

} // namespace

AtomicFolder::AtomicFolder(const fs::path &target, Existing existing) : target_(withoutSlash(target)) {
  if (target_.empty())
    throw Error(ErrorCode::io, "an output folder requires a path, got an empty one");
  if (existing == Existing::refuse) {
    target_ = followLinks(target_).path;
    fills_ = isThere(target_);
  }
  made_ = fills_ ? target_ / unfinished : beside(target_, unfinished);
  removeTree(made_);
  std::error_code error;
  fs::create_directories(made_, error);
  if (error)
    refuse(target_, error.value());
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_)
    fs::remove_all(made_, ignored);
}

void AtomicFolder::commit() {
  bringToDisk(made_);
  if (fills_) {
    fill();
    return;
  }
  if (::rename(made_.c_str(), target_.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST)
      refuse(target_, errno);
    if (::renameat2(AT_FDCWD, made_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0) {
      removeTree(made_);
    } else if (errno == EINVAL || errno == ENOSYS) {
      remove(target_);
      if (::rename(made_.c_str(), target_.c_str()) != 0)
        refuse(target_, errno);
    } else {
      refuse(target_, errno);
    }
  }
  committed_ = true;
  bringToDisk(parentOf(target_));
}

void AtomicFolder::fill() {
  Uninterrupted scope;
  std::vector<fs::path> entries;
  for (const auto &entry : fs::directory_iterator(made_))
    entries.push_back(entry.path());
  for (const fs::path &entry : entries)
    if (::rename(entry.c_str(), (target_ / entry.filename()).c_str()) != 0)
      refuse(target_, errno);
  removeTree(made_);
  committed_ = true;
  bringToDisk(target_);
}

void AtomicFolder::remove(const fs::path &folder) {
  fs::path doomed = beside(folder, removed);
  removeTree(doomed);
  if (::rename(folder.c_str(), doomed.c_str()) != 0)
    refuse(folder, errno);
  removeTree(doomed);
}

void AtomicFolder::sweep(const fs::path &parent) {
  std::vector<fs::path> left;
  for (const auto &entry : fs::directory_iterator(parent))
    if (std::string name = entry.path().filename(); name.starts_with(unfinished) || name.starts_with(removed))
      left.push_back(entry.path());
  for (const fs::path &path : left)
    removeTree(path);
}

} // namespace linmu
