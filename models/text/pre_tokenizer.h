// Splitting text into the words that byte-pair encoding never merges across, as Hugging Face's `tokenizers`
// defines it.
#pragma once
#include "models/text/piece.h"
#include "models/text/regex.h"
#include "models/text/split.h"
#include <functional>
#include <vector>

namespace linmu::models {

/// GPT-2's pattern, which byte-level pre-tokenization uses where nothing else is stated.
extern const char *const gpt2Pattern;
/// Qwen2's pattern.
extern const char *const qwen2Pattern;

/// Appends what it makes of a piece that is not empty; empty pieces are dropped afterwards.
using PreTokenizer = std::function<void(Piece, std::vector<Piece> &)>;

/// Splits at what `pattern` matches or, with `invert`, at what it does not match.
PreTokenizer splitPreTokenizer(Regex pattern, SplitBehavior behavior, bool invert = false);
/// Splits by GPT-2's pattern if `use_pattern`, then takes each byte as a character of its alphabet.
/// `add_prefix_space` puts a space before a piece that starts with none.
PreTokenizer byteLevelPreTokenizer(bool add_prefix_space, bool use_pattern);

/// Which pieces get the mark of a space at their start if they have none.
enum class PrependScheme { always, first, never };
/// Takes each space as `mark` and, with `split`, begins a word at each mark. Scheme `first` is for the piece
/// that starts the whole text.
PreTokenizer metaspacePreTokenizer(char32_t mark, PrependScheme scheme, bool split);

/// Numbers as words, or each digit.
PreTokenizer digitsPreTokenizer(bool individual);
PreTokenizer punctuationPreTokenizer(SplitBehavior behavior);
/// Words of `\w+` and of what is neither that nor white space.
PreTokenizer whitespacePreTokenizer();
/// What lies between white space.
PreTokenizer whitespaceSplitPreTokenizer();
/// What lies between `delimiter`s.
PreTokenizer delimiterPreTokenizer(char32_t delimiter);
/// Words of `length` characters (1 or more).
PreTokenizer fixedLengthPreTokenizer(std::size_t length);

/// The words of `piece` after all `steps`.
std::vector<Piece> preTokenize(const std::vector<PreTokenizer> &steps, Piece piece);

} // namespace linmu::models
