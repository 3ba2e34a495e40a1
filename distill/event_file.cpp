#include "distill/event_file.h"
#include "runtime/core/error.h"
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <unistd.h>

namespace linmu::distill {

static_assert(std::endian::native == std::endian::little, "numbers lie in the file as in memory");

namespace {

constexpr std::size_t before = 12, behind = 4; ///< bytes of a record around its message

/// As TFRecords have it: the checksum of data that holds checksums would be weak.
std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

template <typename T> std::string bytesOf(T value) {
  return {reinterpret_cast<const char *>(&value), sizeof value};
}

template <typename T> T valueAt(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// ---- https://protobuf.dev/programming-guides/encoding ----

enum class Wire { varint = 0, eight = 1, length = 2, four = 5 };

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7)
    bytes += char(value | 0x80);
  return bytes + char(value);
}

std::string field(int number, Wire wire, const std::string &payload) {
  return varint(std::uint64_t(number) << 3 | std::uint64_t(wire)) + payload;
}

std::string text(int number, const std::string &payload) {
  return field(number, Wire::length, varint(payload.size()) + payload);
}

/// Field 2 of an event, 0 where there is none; nothing for bytes that are no message.
std::optional<std::int64_t> stepOf(std::string_view event) {
  std::int64_t step = 0;
  std::size_t at = 0;
  auto number = [&]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at < event.size(); shift += 7) {
      const auto byte = std::uint8_t(event[at++]);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80)
        return value;
    }
    return {};
  };
  while (at < event.size()) {
    const auto key = number();
    if (!key)
      return {};
    std::optional<std::uint64_t> value;
    switch (Wire(*key & 7)) {
    case Wire::varint:
      value = number();
      if (!value)
        return {};
      break;
    case Wire::eight:
      at += 8;
      break;
    case Wire::four:
      at += 4;
      break;
    case Wire::length:
      value = number();
      if (!value || *value > event.size() - at)
        return {};
      at += *value;
      break;
    default:
      return {};
    }
    if (*key == (2 << 3 | std::uint64_t(Wire::varint)))
      step = std::int64_t(*value);
  }
  return at == event.size() ? std::optional(step) : std::nullopt;
}

/// How many bytes of `file` are whole records of events of steps up to `step`.
std::size_t keptOf(std::string_view file, std::int64_t step) {
  std::size_t at = 0;
  while (file.size() - at >= before + behind) {
    const auto size = valueAt<std::uint64_t>(file, at);
    if (valueAt<std::uint32_t>(file, at + 8) != masked(crc32c(file.substr(at, 8))) ||
        size > file.size() - at - before - behind)
      break;
    const std::string_view message = file.substr(at + before, size);
    const auto of_event = stepOf(message);
    if (valueAt<std::uint32_t>(file, at + before + size) != masked(crc32c(message)) || !of_event ||
        *of_event > step)
      break;
    at += before + size + behind;
  }
  return at;
}

} // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> entries{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      entries[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        entries[i] = entries[i] >> 1 ^ (entries[i] & 1 ? 0x82f63b78u : 0);
    }
    return entries;
  }();
  std::uint32_t crc = ~0u;
  for (char byte : bytes)
    crc = crc >> 8 ^ table[(crc ^ std::uint8_t(byte)) & 0xff];
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path &path, std::int64_t step) : path_(path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t kept = keptOf(content, step);
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0 || ::ftruncate(descriptor_, off_t(kept)) != 0) {
    const int error = errno;
    if (descriptor_ >= 0)
      ::close(descriptor_);
    fail(error);
  }
  if (kept == 0)
    append(text(3, "brain.Event:2"));
}

EventFile::~EventFile() { ::close(descriptor_); }

void EventFile::fail(int error) const {
  throw Error(ErrorCode::io,
              fmt::format("cannot write {}: {}", path_.string(), std::generic_category().message(error)));
}

void EventFile::append(std::string_view message) {
  const std::string size = bytesOf(std::uint64_t(message.size()));
  std::string record = size + bytesOf(masked(crc32c(size)));
  record += message;
  record += bytesOf(masked(crc32c(message)));
  for (std::string_view left = record; !left.empty();) {
    const ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written < 0 && errno != EINTR)
      fail(errno);
    left.remove_prefix(std::size_t(std::max<ssize_t>(written, 0)));
  }
}

void EventFile::add(std::int64_t step, double wall_time, const std::vector<EventScalar> &scalars) {
  std::string values;
  for (const EventScalar &scalar : scalars)
    values += text(1, text(1, scalar.tag) + field(2, Wire::four, bytesOf(float(scalar.value))));
  append(field(1, Wire::eight, bytesOf(wall_time)) + field(2, Wire::varint, varint(std::uint64_t(step))) +
         text(5, values));
}

} // namespace linmu::distill
