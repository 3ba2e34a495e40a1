// GPT-2's alphabet: each of the 256 bytes as one printable Unicode character.
// https://github.com/openai/gpt-2/blob/master/src/encoder.py (bytes_to_unicode)
#pragma once
#include <string>
#include <string_view>

namespace linmu::models {

/// The UTF-8 text of the character that stands for `byte`.
const std::string &byteCharacter(unsigned char byte);

/// Sets `bytes` to what `characters` (UTF-8) stand for, and is true, if each is of the alphabet.
bool bytesOfAlphabet(std::string_view characters, std::string &bytes);

/// The bytes that `characters` (UTF-8) stand for. A character outside the alphabet, which special tokens may
/// hold, stands for its own UTF-8 bytes.
std::string bytesOfCharacters(std::string_view characters);

} // namespace linmu::models
