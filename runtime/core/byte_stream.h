// Little-endian fields in a byte string: what packages and cache entries are written and read with.
#pragma once
#include "runtime/core/error.h"
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace linmu {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "packages are stored in little-endian order");

/// FNV-1a with 64 bits. Each step is a bijection of the hash, so that a change of any one byte is seen.
inline std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte byte : bytes)
    hash = (hash ^ std::uint64_t(byte)) * 0x100000001b3u;
  return hash;
}

class ByteWriter {
public:
  template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void write(T value) {
    const auto *bytes = reinterpret_cast<const std::byte *>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(T));
  }
  void writeCount(std::size_t count) { write(std::uint64_t(count)); }
  void writeBytes(std::span<const std::byte> bytes) {
    writeCount(bytes.size());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void writeText(std::string_view text) { writeBytes(std::as_bytes(std::span(text))); }
  std::vector<std::byte> take() { return std::move(bytes_); }

private:
  std::vector<std::byte> bytes_;
};

/// Throws Error(corruptFile) naming `origin` when a field does not fit what is left.
class ByteReader {
public:
  ByteReader(std::span<const std::byte> bytes, std::string_view origin) : bytes_(bytes), origin_(origin) {}

  template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  T read() {
    require(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }
  /// A number of items that each take at least `item_bytes`: what a lying file claims is never allocated.
  std::size_t readCount(std::size_t item_bytes) {
    auto count = read<std::uint64_t>();
    if (count > bytes_.size() / item_bytes)
      fail("a count of " + std::to_string(count) + " items does not fit the " +
           std::to_string(bytes_.size()) + " bytes that are left");
    return std::size_t(count);
  }
  std::span<const std::byte> readBytes() {
    std::size_t size = readCount(1);
    auto bytes = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return bytes;
  }
  std::string readText() {
    auto bytes = readBytes();
    return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  }
  std::span<const std::byte> rest() const { return bytes_; }
  void requireEnd() const {
    if (!bytes_.empty())
      fail(std::to_string(bytes_.size()) + " bytes follow the last field");
  }
  [[noreturn]] void fail(const std::string &what) const {
    throw Error(ErrorCode::corruptFile, std::string(origin_) + ": " + what);
  }

private:
  void require(std::size_t size) const {
    if (bytes_.size() < size)
      fail("truncated: expected " + std::to_string(size) + " more bytes, got " +
           std::to_string(bytes_.size()));
  }

  std::span<const std::byte> bytes_;
  std::string_view origin_;
};

} // namespace linmu
