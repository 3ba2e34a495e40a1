// Packages as files.
#pragma once
#include <cstddef>
#include <filesystem>
#include <vector>

namespace linmu {

/// Whether `path` names a package: by its ending .lmk, or by how the file begins. False for what cannot be
/// read; anything but a file is not opened.
bool isPackageFile(const std::filesystem::path &path);

/// The whole content, for deserialize(). Throws Error(io) naming the path if it is no regular file that can
/// be read, Error(corruptFile) if it does not begin as a package does.
std::vector<std::byte> readPackageFile(const std::filesystem::path &path);

} // namespace linmu
