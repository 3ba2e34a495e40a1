// The text of tokens that come one after the other.
#pragma once
#include "models/text/stream_decoder.h"
#include "models/text/tokenizer.h"
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace linmu::models {

/// What `push` and `finish` return is, joined, what `Tokenizer::decode` makes of all ids.
class TextStream {
public:
  /// Refers to `tokenizer`.
  explicit TextStream(const Tokenizer &tokenizer);

  /// The text that is complete with the token `id`, whatever follows; never ends inside a character. Throws
  /// Error(invalidArgument) for a negative id.
  std::string push(std::int64_t id);
  /// What was held back, once nothing follows. The next `push` begins anew.
  std::string finish();

private:
  class Collector : public TokenTextReceiver {
  public:
    void text(std::string_view part) override { text_ += part; }
    void endToken() override {}
    void finish() override {}
    std::string take() { return std::exchange(text_, {}); }

  private:
    std::string text_;
  };
  void start();

  const Tokenizer &tokenizer_;
  StreamDecoder bytes_; ///< where text is the tokens' bytes
  std::unique_ptr<Collector> collector_;
  std::vector<std::unique_ptr<TokenTextReceiver>> steps_; ///< the last first; each refers to the one before
};

} // namespace linmu::models
