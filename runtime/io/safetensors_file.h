// Reading the safetensors format: an 8-byte little-endian header length, a JSON header that gives each
// tensor's type, shape and byte range, then the tensors' bytes.
// https://github.com/huggingface/safetensors#format
#pragma once
#include "runtime/io/mapped_file.h"
#include "runtime/io/stored_type.h"
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace linmu {

/// A tensor inside a file. `bytes` is row-major, little-endian, and lives as long as the file object.
struct StoredTensor {
  StoredType type = StoredType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

class SafetensorsFile {
public:
  /// Maps the file and checks all of it before anything is used: the header's length and JSON, each
  /// tensor's type, shape and range, that ranges neither overlap nor leave gaps, and that the data ends
  /// where the file ends. Throws Error(corruptFile) naming the file, the tensor, the expected and the actual.
  static SafetensorsFile open(const std::filesystem::path &path);

  const std::filesystem::path &path() const { return path_; }
  /// By name, in lexical order.
  const std::map<std::string, StoredTensor> &tensors() const { return tensors_; }
  /// The header's `__metadata__`; empty without one.
  const std::map<std::string, std::string> &metadata() const { return metadata_; }
  /// Throws Error(invalidArgument) if there is no tensor of that name.
  const StoredTensor &at(const std::string &name) const;

private:
  explicit SafetensorsFile(const std::filesystem::path &path) : path_(path), file_(path) {}

  std::filesystem::path path_;
  MappedFile file_;
  std::map<std::string, StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// The shards of a model: either one file, or a folder with `model.safetensors` or with
/// `model.safetensors.index.json` and the shards that it names. Throws Error(corruptFile) if the index and
/// the shards disagree about which tensor is where, or if two shards hold the same tensor.
std::vector<SafetensorsFile> openSafetensorsModel(const std::filesystem::path &path);

} // namespace linmu
