#include "models/io/gguf_file.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::models {
namespace {

static_assert(std::endian::native == std::endian::little, "weight files are little-endian");

// Arrays of arrays are legal; this many levels of them are not useful and would recurse.
constexpr int maxArrayDepth = 8;
constexpr std::uint32_t maxDimensions = 4; // GGML_MAX_DIMS

/// Bytes of a value of fixed size; 0 for strings and arrays.
std::uint64_t fixedBytes(GgufType type) {
  switch (type) {
  case GgufType::u8:
  case GgufType::i8:
  case GgufType::boolean:
    return 1;
  case GgufType::u16:
  case GgufType::i16:
    return 2;
  case GgufType::u32:
  case GgufType::i32:
  case GgufType::f32:
    return 4;
  case GgufType::u64:
  case GgufType::i64:
  case GgufType::f64:
    return 8;
  case GgufType::string:
  case GgufType::array:
    return 0;
  }
  return 0;
}

template <typename T> T loadAs(const std::byte *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

GgufValue scalarAt(GgufType type, const std::byte *bytes) {
  switch (type) {
  case GgufType::u8:
    return std::uint64_t{loadAs<std::uint8_t>(bytes)};
  case GgufType::i8:
    return std::int64_t{loadAs<std::int8_t>(bytes)};
  case GgufType::u16:
    return std::uint64_t{loadAs<std::uint16_t>(bytes)};
  case GgufType::i16:
    return std::int64_t{loadAs<std::int16_t>(bytes)};
  case GgufType::u32:
    return std::uint64_t{loadAs<std::uint32_t>(bytes)};
  case GgufType::i32:
    return std::int64_t{loadAs<std::int32_t>(bytes)};
  case GgufType::f32:
    return double{loadAs<float>(bytes)};
  case GgufType::boolean:
    return loadAs<std::uint8_t>(bytes) != 0;
  case GgufType::u64:
    return loadAs<std::uint64_t>(bytes);
  case GgufType::i64:
    return loadAs<std::int64_t>(bytes);
  default:
    return loadAs<double>(bytes);
  }
}

/// Walks the file from its start and never past its end.
class Cursor {
public:
  Cursor(const std::filesystem::path &path, std::span<const std::byte> bytes) : path_(path), bytes_(bytes) {}

  [[noreturn]] void corrupt(const std::string &message) const {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", path_.string(), message));
  }
  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return bytes_.size() - position_; }

  std::span<const std::byte> take(std::uint64_t count, std::string_view what) {
    if (count > remaining())
      corrupt(fmt::format("{} requires {} bytes at offset {}, the file has {} left", what, count, position_,
                          remaining()));
    auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  template <typename T> T read(std::string_view what) { return loadAs<T>(take(sizeof(T), what).data()); }

  std::string_view readString(std::string_view what) {
    auto length = read<std::uint64_t>(what);
    auto text = take(length, what);
    return {reinterpret_cast<const char *>(text.data()), text.size()};
  }
  GgufType readType(std::string_view what) {
    auto number = read<std::uint32_t>(what);
    if (number > static_cast<std::uint32_t>(GgufType::f64))
      corrupt(fmt::format("{} has the value type {}, the format has 0 to 12", what, number));
    return static_cast<GgufType>(number);
  }
  GgufArray readArray(std::string_view what, int depth) {
    if (depth > maxArrayDepth)
      corrupt(fmt::format("{} nests arrays more than {} deep", what, maxArrayDepth));
    GgufArray array;
    array.element = readType(what);
    array.count = read<std::uint64_t>(what);
    std::uint64_t begin = position_;
    if (std::uint64_t size = fixedBytes(array.element)) {
      if (array.count > remaining() / size)
        corrupt(fmt::format("{} claims {} elements of {} bytes, the file has {} bytes left", what,
                            array.count, size, remaining()));
      take(array.count * size, what);
    } else {
      // Each element takes bytes of the file, so a lying count ends at the end of the file.
      for (std::uint64_t i = 0; i < array.count; ++i)
        if (array.element == GgufType::string)
          readString(what);
        else
          readArray(what, depth + 1);
    }
    array.bytes = bytes_.subspan(begin, position_ - begin);
    return array;
  }
  GgufValue readValue(std::string_view what) {
    GgufType type = readType(what);
    if (type == GgufType::string)
      return readString(what);
    if (type == GgufType::array)
      return readArray(what, 0);
    return scalarAt(type, take(fixedBytes(type), what).data());
  }

private:
  const std::filesystem::path &path_;
  std::span<const std::byte> bytes_;
  std::uint64_t position_ = 0;
};

struct TensorEntry {
  std::string name;
  GgufTensor tensor;
  std::uint64_t offset = 0, bytes = 0;
};

TensorEntry readTensorEntry(Cursor &cursor, std::uint64_t index) {
  std::string what = fmt::format("tensor entry {}", index);
  TensorEntry entry;
  entry.name = cursor.readString(what);
  what = fmt::format("tensor '{}'", entry.name);
  auto rank = cursor.read<std::uint32_t>(what);
  if (rank == 0 || rank > maxDimensions)
    cursor.corrupt(fmt::format("{} has {} dimensions, the format has 1 to {}", what, rank, maxDimensions));
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < rank; ++i) {
    auto extent = cursor.read<std::uint64_t>(what);
    if (extent == 0 || extent > INT64_MAX || __builtin_mul_overflow(elements, extent, &elements) ||
        elements > INT64_MAX)
      cursor.corrupt(fmt::format("{} has the extent {} in dimension {}", what, extent, i));
    entry.tensor.shape.insert(entry.tensor.shape.begin(), static_cast<std::int64_t>(extent));
  }
  auto type = cursor.read<std::uint32_t>(what);
  entry.tensor.type = static_cast<GgufTensorType>(type);
  GgufBlock block = blockOf(entry.tensor.type);
  if (block.bytes == 0)
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{} has the GGUF type {}, supported are F32 (0), F16 (1), Q4_0 (2), Q4_1 (3), Q8_0 "
                    "(8), Q6_K (14) and BF16 (30)",
                    what, type));
  if (entry.tensor.shape.back() % block.elements != 0)
    cursor.corrupt(fmt::format("{} has rows of {} elements, its type requires a multiple of {}", what,
                               entry.tensor.shape.back(), block.elements));
  if (__builtin_mul_overflow(elements / block.elements, static_cast<std::uint64_t>(block.bytes),
                             &entry.bytes))
    cursor.corrupt(fmt::format("{} has {} elements", what, elements));
  entry.offset = cursor.read<std::uint64_t>(what);
  return entry;
}

} // namespace

GgufBlock blockOf(GgufTensorType type) {
  switch (type) {
  case GgufTensorType::f32:
    return {1, 4};
  case GgufTensorType::f16:
  case GgufTensorType::bf16:
    return {1, 2};
  case GgufTensorType::q4_0:
    return {32, 18};
  case GgufTensorType::q4_1:
    return {32, 20};
  case GgufTensorType::q8_0:
    return {32, 34};
  case GgufTensorType::q6_k:
    return {256, 210};
  }
  return {1, 0};
}

std::int64_t GgufTensor::elements() const {
  std::int64_t count = 1;
  for (std::int64_t extent : shape)
    count *= extent;
  return count;
}

GgufFile GgufFile::openOne(const std::filesystem::path &path) {
  GgufFile file(path);
  std::span<const std::byte> bytes = file.files_.front().bytes();
  Cursor cursor(file.path_, bytes);
  if (bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0)
    cursor.corrupt("not a GGUF file: it must start with the letters GGUF");
  cursor.take(4, "magic");
  auto version = cursor.read<std::uint32_t>("version");
  if (version != 2 && version != 3)
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: GGUF version {}, supported are 2 and 3", path.string(), version));
  auto tensor_count = cursor.read<std::uint64_t>("tensor count");
  auto metadata_count = cursor.read<std::uint64_t>("metadata count");

  for (std::uint64_t i = 0; i < metadata_count; ++i) {
    std::string key(cursor.readString(fmt::format("metadata key {} of {}", i, metadata_count)));
    GgufValue value = cursor.readValue(fmt::format("metadata '{}'", key));
    if (!file.metadata_.emplace(key, value).second)
      cursor.corrupt(fmt::format("metadata '{}' is given twice", key));
  }

  std::vector<TensorEntry> entries;
  for (std::uint64_t i = 0; i < tensor_count; ++i)
    entries.push_back(readTensorEntry(cursor, i));

  std::uint64_t alignment = 32;
  if (file.has("general.alignment"))
    alignment = static_cast<std::uint64_t>(file.integer("general.alignment"));
  if (!std::has_single_bit(alignment) || alignment > (1u << 20))
    cursor.corrupt(fmt::format("general.alignment must be a power of two up to 2^20, got {}", alignment));
  std::uint64_t padding = (alignment - cursor.position() % alignment) % alignment;
  if (!entries.empty())
    cursor.take(padding, "the padding before the tensors");
  std::span<const std::byte> data = bytes.subspan(cursor.position());

  std::ranges::sort(entries, {}, &TensorEntry::offset);
  std::uint64_t end = 0;
  for (TensorEntry &entry : entries) {
    if (entry.offset % alignment != 0)
      cursor.corrupt(fmt::format("tensor '{}' starts at offset {}, which must be a multiple of {}",
                                 entry.name, entry.offset, alignment));
    if (entry.offset < end)
      cursor.corrupt(
          fmt::format("tensor '{}' starts at offset {}, inside the tensor before it, which ends at {}",
                      entry.name, entry.offset, end));
    if (entry.offset > data.size() || entry.bytes > data.size() - entry.offset)
      cursor.corrupt(fmt::format("tensor '{}' of shape [{}] requires {} bytes at offset {}, the data has {}",
                                 entry.name, fmt::join(entry.tensor.shape, ", "), entry.bytes, entry.offset,
                                 data.size()));
    end = entry.offset + entry.bytes;
    entry.tensor.bytes = data.subspan(entry.offset, entry.bytes);
    if (!file.tensors_.emplace(entry.name, entry.tensor).second)
      cursor.corrupt(fmt::format("tensor '{}' is given twice", entry.name));
  }
  return file;
}

const GgufValue &GgufFile::at(std::string_view key) const {
  auto found = metadata_.find(key);
  if (found == metadata_.end())
    throw Error(ErrorCode::corruptFile, fmt::format("{}: requires the metadata '{}'", path_.string(), key));
  return found->second;
}

void GgufFile::wrongType(std::string_view key, std::string_view expected) const {
  static constexpr std::string_view held[] = {"an integer", "an integer", "a number",
                                              "a boolean",  "a string",   "an array"};
  throw Error(ErrorCode::corruptFile, fmt::format("{}: metadata '{}' must be {}, got {}", path_.string(), key,
                                                  expected, held[at(key).index()]));
}

std::int64_t GgufFile::integer(std::string_view key) const {
  const GgufValue &value = at(key);
  if (auto *number = std::get_if<std::int64_t>(&value))
    return *number;
  if (auto *number = std::get_if<std::uint64_t>(&value); number && *number <= INT64_MAX)
    return static_cast<std::int64_t>(*number);
  wrongType(key, "an integer below 2^63");
}

double GgufFile::number(std::string_view key) const {
  if (auto *number = std::get_if<double>(&at(key)))
    return *number;
  return static_cast<double>(integer(key));
}

bool GgufFile::boolean(std::string_view key) const {
  if (auto *value = std::get_if<bool>(&at(key)))
    return *value;
  wrongType(key, "a boolean");
}

std::string_view GgufFile::string(std::string_view key) const {
  if (auto *value = std::get_if<std::string_view>(&at(key)))
    return *value;
  wrongType(key, "a string");
}

const GgufArray &GgufFile::array(std::string_view key) const {
  if (auto *value = std::get_if<GgufArray>(&at(key)))
    return *value;
  wrongType(key, "an array");
}

std::vector<std::string_view> GgufFile::strings(std::string_view key) const {
  const GgufArray &source = array(key);
  if (source.element != GgufType::string)
    wrongType(key, "an array of strings");
  Cursor cursor(path_, source.bytes);
  std::vector<std::string_view> values;
  for (std::uint64_t i = 0; i < source.count; ++i)
    values.push_back(cursor.readString(key));
  return values;
}

std::vector<std::int64_t> GgufFile::integers(std::string_view key) const {
  const GgufArray &source = array(key);
  std::vector<std::int64_t> values;
  for (std::uint64_t i = 0; i < source.count; ++i) {
    std::uint64_t size = fixedBytes(source.element);
    if (size == 0)
      wrongType(key, "an array of integers");
    GgufValue value = scalarAt(source.element, source.bytes.data() + i * size);
    if (auto *number = std::get_if<std::int64_t>(&value))
      values.push_back(*number);
    else if (auto *number = std::get_if<std::uint64_t>(&value); number && *number <= INT64_MAX)
      values.push_back(static_cast<std::int64_t>(*number));
    else
      wrongType(key, "an array of integers");
  }
  return values;
}

} // namespace linmu::models
