// What a path that a user gives leads to.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>

namespace linmu {

/// Where a path leads once its links are followed, also one whose target does not exist yet.
struct FilePlace {
  std::filesystem::path path;
  std::optional<int> descriptor; ///< for /dev/stdout, /dev/fd/N and their like: N, open in this process
};

/// Throws Error(io) for an empty path and for links that lead in a circle.
FilePlace followLinks(const std::filesystem::path &path);

/// "a folder", "a FIFO", "a socket", "a device", "a file".
std::string kindOf(const struct stat &status);

} // namespace linmu
