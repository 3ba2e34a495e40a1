#include "models/text/text_stream.h"
#include <ranges>

namespace linmu::models {

TextStream::TextStream(const Tokenizer &tokenizer)
    : tokenizer_(tokenizer), collector_(std::make_unique<Collector>()) {
  start();
}

void TextStream::start() {
  steps_.clear();
  for (const TokenDecoder &decoder : tokenizer_.decoders_ | std::views::reverse)
    steps_.push_back(decoder(steps_.empty() ? *collector_ : *steps_.back()));
}

std::string TextStream::push(std::int64_t id) {
  std::string_view text = tokenizer_.textOf(id);
  if (tokenizer_.by_bytes_)
    return bytes_.push(text);
  if (tokenizer_.shows(id)) {
    TokenTextReceiver &first = steps_.empty() ? *collector_ : *steps_.back();
    first.text(text);
    first.endToken();
  }
  return collector_->take();
}

std::string TextStream::finish() {
  if (tokenizer_.by_bytes_)
    return bytes_.finish();
  if (!steps_.empty())
    steps_.back()->finish();
  start();
  return collector_->take();
}

} // namespace linmu::models
