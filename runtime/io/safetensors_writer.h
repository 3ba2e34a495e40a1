// Writing the safetensors format.
#pragma once
#include "runtime/io/stored_type.h"
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace linmu {

struct TensorToStore {
  std::string name;
  StoredType type = StoredType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes; ///< row-major, little-endian
};

/// Writes a temporary file beside `path` and renames it, so that `path` is either complete or untouched.
/// Throws Error(invalidArgument) for a repeated or reserved name or for bytes that do not fit type and
/// shape, Error(io) if the file system refuses.
void writeSafetensors(const std::filesystem::path &path, std::span<const TensorToStore> tensors,
                      const std::map<std::string, std::string> &metadata = {});

} // namespace linmu
