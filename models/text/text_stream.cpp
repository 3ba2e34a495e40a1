#include "models/text/text_stream.h"
#include <algorithm>
#include <string_view>

namespace linmu::models {

std::string TextStream::push(std::int64_t id) {
  if (tokenizer_.by_bytes_)
    return bytes_.push(tokenizer_.textOf(id));
  ids_.push_back(id);
  std::string text = tokenizer_.decode(ids_);
  // A character may still be incomplete, and steps such as stripping may wait for what follows.
  if (text.size() <= returned_.size() || text.ends_with("\uFFFD") || !text.starts_with(returned_))
    return {};
  std::string added = text.substr(returned_.size());
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(returned_ids_));
  returned_ids_ = ids_.size();
  returned_ = tokenizer_.decode(ids_);
  return added;
}

std::string TextStream::finish() {
  if (tokenizer_.by_bytes_)
    return bytes_.finish();
  std::string text = tokenizer_.decode(ids_);
  auto same = std::ranges::mismatch(text, returned_).in1 - text.begin();
  ids_.clear();
  returned_ids_ = 0;
  returned_.clear();
  return text.substr(same);
}

} // namespace linmu::models
