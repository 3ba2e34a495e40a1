// Steps that turn the texts of tokens into text, as Hugging Face's `tokenizers` defines them.
#pragma once
#include "models/text/regex.h"
#include <functional>
#include <string>
#include <vector>

namespace linmu::models {

/// The parts of a text; joined after the last step.
using TokenTexts = std::vector<std::string>;
using TokenDecoder = std::function<TokenTexts(TokenTexts)>;

/// The bytes that a token's characters stand for in GPT-2's alphabet, or its own if one is outside of it;
/// joined, with U+FFFD for what is not UTF-8.
TokenDecoder byteLevelDecoder();
/// The bytes of one token, as `byteLevelDecoder` takes them.
std::string bytesOfToken(const std::string &token);

/// Takes each `mark` as a space; in the first token it is dropped if the pre-tokenizer put it there.
TokenDecoder metaspaceDecoder(char32_t mark, bool drop_first);
/// Runs of tokens `<0x..>` as the bytes they name, or one U+FFFD for each if they are not UTF-8.
TokenDecoder byteFallbackDecoder();
/// Joins all tokens.
TokenDecoder fuseDecoder();
/// Removes up to `start` and `stop` times `character` from the ends of each token.
TokenDecoder stripDecoder(char32_t character, std::size_t start, std::size_t stop);
TokenDecoder replaceDecoder(Regex pattern, std::string content);
/// Takes the end of a word as a space, but not behind the last token.
TokenDecoder wordEndDecoder(std::string suffix);
/// A space before every token but the first that does not start with `prefix`, which is removed; with
/// `cleanup` no space before punctuation and English contractions.
TokenDecoder wordPieceDecoder(std::string prefix, bool cleanup);
/// What is done without a decoder: a space between tokens.
TokenDecoder spaceDecoder();

} // namespace linmu::models
