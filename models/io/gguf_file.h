// Reading the GGUF format, versions 2 and 3: typed metadata and tensors, possibly quantised.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once
#include "runtime/io/mapped_file.h"
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linmu::models {

/// The numbers are the format's.
enum class GgufType : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  string,
  array,
  u64,
  i64,
  f64
};

/// An array of metadata as it lies in the file, checked when the file was opened.
struct GgufArray {
  GgufType element = GgufType::u8;
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

/// Integers are widened; a string is a view of the file.
using GgufValue = std::variant<std::int64_t, std::uint64_t, double, bool, std::string_view, GgufArray>;

/// Numbers are the format's. Only these types can be dequantised.
enum class GgufTensorType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q8_0 = 8,
  q6_k = 14,
  bf16 = 30
};

struct GgufTensor {
  GgufTensorType type = GgufTensorType::f32;
  /// Slowest dimension first, as in torch (the file stores the fastest first).
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::int64_t elements() const;
};

/// Views of the file live as long as this object.
class GgufFile {
public:
  /// Maps the file and checks all of it: magic, version, every count, string, offset and size, that tensors
  /// neither overlap nor pass the end of the file, and that no name is repeated. Throws Error(corruptFile),
  /// or Error(unsupported) for a version or tensor type that is not listed above; both name the file. Of a
  /// model that is split over files it takes the first, `NAME-00001-of-0000N.gguf`, and opens the others
  /// beside it.
  static GgufFile open(const std::filesystem::path &path);

  const std::filesystem::path &path() const { return path_; }
  const std::map<std::string, GgufValue, std::less<>> &metadata() const { return metadata_; }
  const std::map<std::string, GgufTensor, std::less<>> &tensors() const { return tensors_; }

  bool has(std::string_view key) const { return metadata_.contains(key); }
  /// Each throws Error(corruptFile) naming the key if it is missing or of another type.
  std::int64_t integer(std::string_view key) const;
  double number(std::string_view key) const;
  bool boolean(std::string_view key) const;
  std::string_view string(std::string_view key) const;
  std::vector<std::string_view> strings(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;

private:
  explicit GgufFile(const std::filesystem::path &path) : path_(path) { files_.emplace_back(path); }
  static GgufFile openOne(const std::filesystem::path &path);
  void openOthers();
  const GgufValue &at(std::string_view key) const;
  const GgufArray &array(std::string_view key) const;
  [[noreturn]] void wrongType(std::string_view key, std::string_view expected) const;

  std::filesystem::path path_;
  std::vector<MappedFile> files_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::map<std::string, GgufTensor, std::less<>> tensors_;
};

/// Elements and bytes of one block of a tensor's type.
struct GgufBlock {
  std::int64_t elements, bytes;
};
GgufBlock blockOf(GgufTensorType type);

} // namespace linmu::models
