// Classes of characters and case, in the versions of Unicode that the reference tokenizers were built with,
// so that the same text gives the same words.
#pragma once
#include <string>

namespace linmu::models {

/// The property White_Space.
bool isWhiteSpace(char32_t code_point);
/// Categories Nd, Nl and No of Unicode 17.
bool isNumeric(char32_t code_point);
/// ASCII's punctuation and symbols, and the categories P* of Unicode 8.
bool isPunctuation(char32_t code_point);
/// What `\w` means in regular expressions of Unicode 16 (UTS #18): alphabetic characters, marks, decimal
/// digits, connector punctuation and joiners.
bool isWordCharacter(char32_t code_point);
/// Categories M* of Unicode 9.
bool isCombiningMark(char32_t code_point);
/// The full lower-case mapping of one character without regard to its neighbours (Unicode 17).
void appendLowercase(std::string &text, char32_t code_point);

} // namespace linmu::models
