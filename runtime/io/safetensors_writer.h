// Writing the safetensors format.
#pragma once
#include "runtime/io/atomic_file.h"
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

/// Writes `path` as AtomicFile does: complete or not at all. Throws Error(invalidArgument) for a repeated or
/// reserved name or for bytes that do not fit type and shape, Error(io) if the file system refuses.
void writeSafetensors(const std::filesystem::path &path, std::span<const TensorToStore> tensors,
                      const std::map<std::string, std::string> &metadata = {});

/// The same into a file that was checked before the work, and commits it.
void writeSafetensors(AtomicFile &file, std::span<const TensorToStore> tensors,
                      const std::map<std::string, std::string> &metadata = {});

} // namespace linmu
