#include "models/text/stream_decoder.h"
#include <cstdint>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace linmu::models {
namespace {

std::string repaired(std::string_view bytes) {
  std::string text;
  icu::UnicodeString::fromUTF8({bytes.data(), static_cast<std::int32_t>(bytes.size())}).toUTF8String(text);
  return text;
}

} // namespace

std::string StreamDecoder::push(std::string_view bytes) {
  kept_ += bytes;
  auto complete = static_cast<std::int32_t>(kept_.size());
  const auto *data = reinterpret_cast<const std::uint8_t *>(kept_.data());
  U8_TRUNCATE_IF_INCOMPLETE(data, 0, complete);
  std::string text = repaired(std::string_view(kept_).substr(0, complete));
  kept_.erase(0, complete);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text = repaired(kept_);
  kept_.clear();
  return text;
}

} // namespace linmu::models
