// The text of tokens that come one after the other.
#pragma once
#include "models/text/stream_decoder.h"
#include "models/text/tokenizer.h"
#include <cstdint>
#include <string>
#include <vector>

namespace linmu::models {

/// What `push` and `finish` return is, joined, what `Tokenizer::decode` makes of all ids.
class TextStream {
public:
  /// Refers to `tokenizer`.
  explicit TextStream(const Tokenizer &tokenizer) : tokenizer_(tokenizer) {}

  /// The text that is complete with the token `id`; never ends inside a character.
  std::string push(std::int64_t id);
  /// What was held back, once nothing follows.
  std::string finish();

private:
  const Tokenizer &tokenizer_;
  StreamDecoder bytes_; ///< where text is the tokens' bytes
  /// Elsewhere a token's text depends on its neighbours: the tokens since the last that were complete, those
  /// included, and the text of the part of them that was returned.
  std::vector<std::int64_t> ids_;
  std::size_t returned_ids_ = 0;
  std::string returned_;
};

} // namespace linmu::models
