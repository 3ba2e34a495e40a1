// UTF-8, code point by code point.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace linmu::models {

/// Throws Error(invalidArgument) naming the first byte of `text` that is not part of valid UTF-8, or its
/// length if that is 2^31 bytes or more.
void requireUtf8(std::string_view text);

bool isUtf8(std::string_view text);

/// The code point at `at`, which is moved behind it. `text` is valid UTF-8 and `at` the start of a character.
char32_t nextCodePoint(std::string_view text, std::size_t &at);

/// The code point before `at`, which is moved to its start.
char32_t previousCodePoint(std::string_view text, std::size_t &at);

void appendUtf8(std::string &text, char32_t code_point);
std::string utf8(char32_t code_point);

} // namespace linmu::models
