// Steps that turn the texts of tokens into text, as Hugging Face's `tokenizers` defines them, token by token.
#pragma once
#include "models/text/regex.h"
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace linmu::models {

/// Takes the texts of tokens one after the other.
class TokenTextReceiver {
public:
  virtual ~TokenTextReceiver() = default;
  /// A part of a token's text, of whole characters.
  virtual void text(std::string_view part) = 0;
  virtual void endToken() = 0;
  /// No token follows.
  virtual void finish() = 0;
};

/// Makes one step, which gives the texts of its tokens to the next as early as nothing that may follow can
/// change them.
using TokenDecoder = std::function<std::unique_ptr<TokenTextReceiver>(TokenTextReceiver &next)>;

/// One token of the bytes that the tokens' characters stand for in GPT-2's alphabet; a token with another
/// character stands for its own. U+FFFD is where they are not UTF-8.
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
