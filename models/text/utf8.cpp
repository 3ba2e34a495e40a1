#include "models/text/utf8.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>
#include <unicode/utf8.h>

namespace linmu::models {

namespace {

/// The first byte that is not part of a valid character, or the length.
std::size_t validLength(std::string_view text) {
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
  auto size = static_cast<std::int64_t>(text.size());
  for (std::int64_t next = 0; next < size;) {
    std::int64_t begin = next;
    UChar32 code_point;
    U8_NEXT(bytes, next, size, code_point);
    if (code_point < 0)
      return static_cast<std::size_t>(begin);
  }
  return text.size();
}

} // namespace

void requireUtf8(std::string_view text) {
  if (text.size() > INT32_MAX)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("a text must be at most 2^31 - 1 bytes, got {}", text.size()));
  if (std::size_t valid = validLength(text); valid < text.size())
    throw Error(ErrorCode::invalidArgument, fmt::format("text must be UTF-8; byte {} (0x{:02x}) is not",
                                                        valid, static_cast<unsigned char>(text[valid])));
}

bool isUtf8(std::string_view text) { return validLength(text) == text.size(); }

char32_t nextCodePoint(std::string_view text, std::size_t &at) {
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
  UChar32 code_point;
  U8_NEXT_UNSAFE(bytes, at, code_point);
  return static_cast<char32_t>(code_point);
}

char32_t previousCodePoint(std::string_view text, std::size_t &at) {
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
  UChar32 code_point;
  U8_PREV_UNSAFE(bytes, at, code_point);
  return static_cast<char32_t>(code_point);
}

void appendUtf8(std::string &text, char32_t code_point) {
  std::uint8_t bytes[4];
  std::int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, static_cast<UChar32>(code_point));
  text.append(reinterpret_cast<const char *>(bytes), length);
}

std::string utf8(char32_t code_point) {
  std::string text;
  appendUtf8(text, code_point);
  return text;
}

} // namespace linmu::models
