#include "models/text/unicode_classes.h"
#include "models/text/utf8.h"
#include <cstdint>
#include <oniguruma.h>
#include <unicode/uchar.h>

namespace linmu::models {
namespace {

std::uint32_t categoryBit(char32_t code_point) { return U_GET_GC_MASK(static_cast<UChar32>(code_point)); }

/// Whether the character was in Unicode `major`.
bool existedIn(char32_t code_point, int major) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(code_point), age);
  return age[0] > 0 && age[0] <= major;
}

/// Whether Oniguruma, whose tables are Unicode 16's, counts the character to a class; ICU's are Unicode 15's.
bool isOf(char32_t code_point, OnigCtype character_class) {
  return ONIGENC_IS_CODE_CTYPE(ONIG_ENCODING_UTF8, static_cast<OnigCodePoint>(code_point), character_class);
}

/// The pairs of cases that Unicode 16 and 17 added.
char32_t addedLowercase(char32_t code_point) {
  struct Cases {
    char32_t first, last, lower;
  };
  static constexpr Cases cases[] = {{0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x264},
                                    {0xA7CC, 0xA7CC, 0xA7CD},    {0xA7CE, 0xA7CE, 0xA7CF},
                                    {0xA7D2, 0xA7D2, 0xA7D3},    {0xA7D4, 0xA7D4, 0xA7D5},
                                    {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x19B},
                                    {0x10D50, 0x10D65, 0x10D70}, {0x16EA0, 0x16EB8, 0x16EBB}};
  for (const Cases &each : cases)
    if (code_point >= each.first && code_point <= each.last)
      return each.lower + (code_point - each.first);
  return code_point;
}

} // namespace

bool isWhiteSpace(char32_t code_point) { return u_isUWhiteSpace(static_cast<UChar32>(code_point)); }

bool isNumeric(char32_t code_point) {
  static const OnigCtype numbers = [] {
    OnigUChar name[] = {'N', '\0'};
    return static_cast<OnigCtype>(ONIGENC_PROPERTY_NAME_TO_CTYPE(ONIG_ENCODING_UTF8, name, name + 1));
  }();
  // Tolong Siki's digits and three numerals of Chinese were added by Unicode 17.
  return isOf(code_point, numbers) || (code_point >= 0x11DE0 && code_point <= 0x11DE9) ||
         (code_point >= 0x16FF4 && code_point <= 0x16FF6);
}

bool isPunctuation(char32_t code_point) {
  if (code_point < 0x80)
    return u_ispunct(static_cast<UChar32>(code_point)) || (categoryBit(code_point) & U_GC_S_MASK);
  // Two characters are in other categories since.
  if (code_point == 0x111C9 || code_point == 0x166D)
    return true;
  return (categoryBit(code_point) & U_GC_P_MASK) && existedIn(code_point, 8);
}

bool isWordCharacter(char32_t code_point) {
  auto character = static_cast<UChar32>(code_point);
  // Asked for one character of Latin-1, Oniguruma counts fractions and superscripts as well.
  if (code_point < 0x100)
    return u_hasBinaryProperty(character, UCHAR_ALPHABETIC) ||
           (categoryBit(code_point) & (U_GC_ND_MASK | U_GC_PC_MASK));
  return isOf(code_point, ONIGENC_CTYPE_WORD) || u_hasBinaryProperty(character, UCHAR_JOIN_CONTROL);
}

bool isCombiningMark(char32_t code_point) {
  // Two signs that were marks and one that became one since.
  if (code_point == 0x1CF2 || code_point == 0x1CF3)
    return true;
  return (categoryBit(code_point) & U_GC_M_MASK) && existedIn(code_point, 9) && code_point != 0x111C9;
}

void appendLowercase(std::string &text, char32_t code_point) {
  if (code_point == 0x130) { // the only character whose lower case is two
    text += "i\u0307";
    return;
  }
  auto lower = static_cast<char32_t>(u_tolower(static_cast<UChar32>(code_point)));
  appendUtf8(text, lower != code_point ? lower : addedLowercase(code_point));
}

} // namespace linmu::models
