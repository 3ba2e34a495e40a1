// GGUF files made byte by byte.
#pragma once
#include "models/io/gguf_file.h"
#include "tests/unit/models_file_fixture.h"
#include <map>
#include <vector>

namespace linmu::test::gguf {

using models::GgufType;

inline std::string text(std::string_view value) {
  return bytesOfValue<std::uint64_t>(value.size()) + std::string(value);
}
inline std::string type(GgufType value) { return bytesOfValue(static_cast<std::uint32_t>(value)); }
inline std::string head(std::uint64_t tensors, std::uint64_t metadata, std::uint32_t version = 3) {
  return "GGUF" + bytesOfValue(version) + bytesOfValue(tensors) + bytesOfValue(metadata);
}
inline std::string entry(std::string_view name, std::vector<std::uint64_t> extents, std::uint32_t tensor_type,
                         std::uint64_t offset) {
  std::string bytes = text(name) + bytesOfValue(static_cast<std::uint32_t>(extents.size()));
  for (std::uint64_t extent : extents)
    bytes += bytesOfValue(extent);
  return bytes + bytesOfValue(tensor_type) + bytesOfValue(offset);
}
inline std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 31) / 32 * 32);
  return bytes;
}

// Metadata values: a type and its bytes.
inline std::string integer(std::int64_t value) { return type(GgufType::i64) + bytesOfValue(value); }
inline std::string string(std::string_view value) { return type(GgufType::string) + text(value); }
inline std::string array(GgufType element, const std::vector<std::string> &elements) {
  std::string bytes = type(GgufType::array) + type(element) + bytesOfValue<std::uint64_t>(elements.size());
  for (const std::string &each : elements)
    bytes += each;
  return bytes;
}
inline std::string strings(std::vector<std::string> values) {
  for (std::string &value : values)
    value = text(value);
  return array(GgufType::string, values);
}
inline std::string integers(const std::vector<std::int64_t> &values) {
  std::vector<std::string> elements;
  for (std::int64_t value : values)
    elements.push_back(bytesOfValue(value));
  return array(GgufType::i64, elements);
}

using Metadata = std::map<std::string, std::string>;

/// A file of `metadata` and at most one tensor, of f32.
inline std::string file(const Metadata &metadata, const std::string &tensor = {},
                        std::vector<std::uint64_t> extents = {}) {
  std::string bytes = head(tensor.empty() ? 0 : 1, metadata.size());
  for (const auto &[key, value] : metadata)
    bytes += text(key) + value;
  if (tensor.empty())
    return bytes;
  std::uint64_t size = 4;
  for (std::uint64_t extent : extents)
    size *= extent;
  return padded(bytes + entry(tensor, extents, 0, 0)) + std::string(size, '\0');
}

} // namespace linmu::test::gguf
