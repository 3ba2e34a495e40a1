#include "models/text/normalizer.h"
#include "models/text/byte_level.h"
#include "models/text/unicode_classes.h"
#include "models/text/utf8.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

namespace linmu::models {
namespace {

void check(UErrorCode status, const char *what) {
  if (U_FAILURE(status))
    throw Error(ErrorCode::internal, fmt::format("{} failed: {}", what, u_errorName(status)));
}

/// A piece that takes `each(text, code point)` of every character.
template <typename Each> void mapCharacters(Piece &piece, Each &&each) {
  Piece result;
  for (std::size_t at = 0; at < piece.text.size();) {
    bool from_first = at < piece.from_first;
    each(result.text, nextCodePoint(piece.text, at));
    if (from_first)
      result.from_first = result.text.size();
  }
  piece = std::move(result);
}

/// Null, with a failure in `status`, if ICU's data cannot be read.
const icu::Normalizer2 *normalizerOf(UnicodeForm form, UErrorCode &status) {
  switch (form) {
  case UnicodeForm::nfc:
    return icu::Normalizer2::getNFCInstance(status);
  case UnicodeForm::nfd:
    return icu::Normalizer2::getNFDInstance(status);
  case UnicodeForm::nfkc:
    return icu::Normalizer2::getNFKCInstance(status);
  case UnicodeForm::nfkd:
    break;
  }
  return icu::Normalizer2::getNFKDInstance(status);
}

/// The set that a filtered normalizer refers to lives beside it.
struct FormOfUnicode9 {
  icu::UnicodeSet characters;
  std::optional<icu::FilteredNormalizer2> normalizer;

  explicit FormOfUnicode9(UnicodeForm form) {
    UErrorCode status = U_ZERO_ERROR;
    characters.applyPattern(u"[:age=9.0:]", status).freeze();
    const icu::Normalizer2 *unfiltered = normalizerOf(form, status);
    check(status, "loading Unicode's normal forms");
    normalizer.emplace(*unfiltered, characters);
  }

  std::string apply(std::string_view text) const {
    UErrorCode status = U_ZERO_ERROR;
    std::string result;
    const icu::Normalizer2 &form = *normalizer;
    form.normalize(icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())}),
                   status)
        .toUTF8String(result);
    check(status, "normalising text");
    return result;
  }
};

} // namespace

Normalizer unicodeFormNormalizer(UnicodeForm form) {
  return [forms = std::make_shared<const FormOfUnicode9>(form)](Piece &piece) {
    std::string text = forms->apply(piece.text);
    // What the first character became: as many characters as it becomes alone.
    std::string first = forms->apply(std::string_view(piece.text).substr(0, piece.from_first));
    std::size_t end = 0;
    for (std::size_t at = 0; at < first.size() && end < text.size(); nextCodePoint(first, at))
      nextCodePoint(text, end);
    piece = {std::move(text), end};
  };
}

Normalizer lowercaseNormalizer() {
  return [](Piece &piece) { mapCharacters(piece, appendLowercase); };
}

Normalizer replaceNormalizer(Regex pattern, std::string content) {
  return [pattern = std::move(pattern), content = std::move(content)](Piece &piece) {
    Piece result;
    for (const TextRange &range : pattern.findAll(piece.text)) {
      std::size_t begin = result.text.size();
      if (!range.is_match)
        result.text.append(piece.text, range.begin, range.end - range.begin);
      else
        result.text += content;
      // What replaces a match belongs where the match ended.
      if (range.is_match ? range.end <= piece.from_first && piece.from_first > 0
                         : range.end <= piece.from_first)
        result.from_first = result.text.size();
      else if (!range.is_match && range.begin < piece.from_first)
        result.from_first = begin + piece.from_first - range.begin;
    }
    piece = std::move(result);
  };
}

Normalizer prependNormalizer(std::string text) {
  return [text = std::move(text)](Piece &piece) {
    if (!piece.text.empty())
      piece.prepend(text);
  };
}

Normalizer stripNormalizer(bool left, bool right) {
  return [left, right](Piece &piece) {
    std::size_t begin = 0, end = piece.text.size();
    for (std::size_t at = 0; left && at < end && isWhiteSpace(nextCodePoint(piece.text, at));)
      begin = at;
    for (std::size_t at = end; right && at > begin && isWhiteSpace(previousCodePoint(piece.text, at));)
      end = at;
    piece = piece.slice(begin, end);
  };
}

Normalizer stripAccentsNormalizer() {
  return [](Piece &piece) {
    mapCharacters(piece, [](std::string &text, char32_t character) {
      if (!isCombiningMark(character))
        appendUtf8(text, character);
    });
  };
}

Normalizer byteLevelNormalizer() {
  return [](Piece &piece) {
    Piece result;
    for (std::size_t at = 0; at < piece.text.size(); ++at) {
      result.text += byteCharacter(static_cast<unsigned char>(piece.text[at]));
      if (at < piece.from_first)
        result.from_first = result.text.size();
    }
    piece = std::move(result);
  };
}

Normalizer nmtNormalizer() {
  return [](Piece &piece) {
    mapCharacters(piece, [](std::string &text, char32_t c) {
      bool control =
          (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
      bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                   (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
                   c == 0xFFFD;
      if (!control)
        appendUtf8(text, space ? U' ' : c);
    });
  };
}

} // namespace linmu::models
