// linmuc OUT.lmk: what a package holds, and whether it is sound.
#pragma once
#include <filesystem>
#include <string>

namespace linmu::linmuc {

/// The pattern's signature, the target, the variants with their conditions, kernels and grids, and sizes, as
/// text for a terminal. Throws Error(io) or Error(corruptFile) with one message that names the file, as the
/// runtime that would open it does.
std::string describePackage(const std::filesystem::path &path);

} // namespace linmu::linmuc
