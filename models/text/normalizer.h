// Steps that change a text before it is split into words, as Hugging Face's `tokenizers` defines them.
#pragma once
#include "models/text/piece.h"
#include "models/text/regex.h"
#include <functional>
#include <string>

namespace linmu::models {

/// Changes a piece in place.
using Normalizer = std::function<void(Piece &)>;

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

/// One of Unicode's normal forms, with the characters of Unicode 9: later ones stay as they are, as in the
/// library that files are written for.
Normalizer unicodeFormNormalizer(UnicodeForm form);
/// Lower case of each character without regard to its neighbours.
Normalizer lowercaseNormalizer();
/// Replaces each match by `content`.
Normalizer replaceNormalizer(Regex pattern, std::string content);
/// Puts `text` before a piece that is not empty.
Normalizer prependNormalizer(std::string text);
/// Removes white space at the ends.
Normalizer stripNormalizer(bool left, bool right);
/// Removes combining marks.
Normalizer stripAccentsNormalizer();
/// Takes each byte as a character of GPT-2's alphabet.
Normalizer byteLevelNormalizer();
/// Removes control characters and takes other white space and some marks as spaces, as in neural machine
/// translation.
Normalizer nmtNormalizer();

} // namespace linmu::models
