// Pictures of words and numbers with questions that need reading.
#pragma once
#include "distill/data/example.h"
#include <array>
#include <string_view>

namespace linmu::distill {

inline constexpr std::array<std::string_view, 5> writtenWordsKinds = {"line", "colour", "letter", "larger",
                                                                      "contains"};

/// Picture `number` of a split, a pure function of its arguments: three lines, each a word or a number, in
/// different colours. Words are made up, consonant, vowel and one or two consonants, so that they can be read
/// and not guessed. Numbers go round the kinds of question:
/// - line: "what is written in the top line?"
/// - colour: "what is written in red?"
/// - letter: "what is the last letter of the red word?", or first; each consonant equally likely.
/// - larger: "which number is larger, the top or the bottom one?"
/// - contains: "is the word BAK in the picture?"; if not, it differs in one letter from one that is.
/// No word and no number is in both splits. Throws Error(invalidArgument) for options out of range.
Example writtenWords(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options);

} // namespace linmu::distill
