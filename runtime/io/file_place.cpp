#include "runtime/io/file_place.h"
#include "runtime/core/error.h"
#include <charconv>

namespace linmu {
namespace {

/// N of a path to the link /proc/self/fd/N, by whatever name its folder goes. Opening such a link would open
/// the file anew, at its start, which is not what the caller's redirection means.
std::optional<int> ownDescriptor(const std::filesystem::path &path) {
  std::string name = path.filename().string();
  int number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.empty() || error != std::errc() || end != name.data() + name.size() || number < 0)
    return std::nullopt;
  std::error_code none;
  auto folder = std::filesystem::canonical(path.parent_path().empty() ? "." : path.parent_path(), none);
  for (const char *own : {"/proc/self/fd", "/proc/thread-self/fd"})
    if (!none && folder == std::filesystem::canonical(own, none) && !none)
      return number;
  return std::nullopt;
}

} // namespace

FilePlace followLinks(const std::filesystem::path &path) {
  if (path.empty())
    throw Error(ErrorCode::io, "requires the path of a file, got an empty one");
  constexpr int most_links = 40; // the kernel's own limit
  std::filesystem::path at = path;
  for (int links = 0; links <= most_links; ++links) {
    if (std::optional<int> descriptor = ownDescriptor(at))
      return {at, descriptor};
    std::error_code error;
    auto target = std::filesystem::read_symlink(at, error);
    if (error)
      return {at, std::nullopt};
    at = at.parent_path() / target; // an absolute target replaces the folder
  }
  throw Error(ErrorCode::io, path.string() + ": its links lead in a circle");
}

std::string kindOf(const struct stat &status) {
  if (S_ISDIR(status.st_mode))
    return "a folder";
  if (S_ISFIFO(status.st_mode))
    return "a FIFO";
  if (S_ISSOCK(status.st_mode))
    return "a socket";
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
    return "a device";
  return "a file";
}

} // namespace linmu
