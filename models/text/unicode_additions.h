// Characters that Unicode 15 to 17 added, for libraries that were built from older tables: Oniguruma 6.9.8
// knows Unicode 14 and ICU 72 Unicode 15, where the tokenizers that files are written for know 16 and 17.
#pragma once
#include <span>

namespace linmu::models {

/// Characters `first` to `last`, added by Unicode 15.0, 15.1 or 16.0.
struct AddedCharacters {
  char32_t first, last;
  const char *category; ///< its short name, e.g. "Lo"
  const char *script;   ///< in lower case without underscores; empty for scripts that are themselves new
  bool alphabetic;
};
std::span<const AddedCharacters> charactersAddedSinceUnicode14();

/// The range of `charactersAddedSinceUnicode14` that holds `code_point`, or null.
const AddedCharacters *findAddedCharacter(char32_t code_point);

} // namespace linmu::models
