#include "models/text/tokenizer.h"
#include "models/text/byte_level.h"
#include "models/text/stream_decoder.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {

Tokenizer::Tokenizer(Definition definition)
    : merger_(definition.tokens, definition.merges, definition.whole_words, definition.origin),
      pre_tokenizer_(definition.patterns, definition.normalize),
      added_(definition.added.begin(), definition.added.end()), prefix_(std::move(definition.prefix)) {
  auto slotOf = [&](std::int64_t id) {
    if (id < 0 || id > (1 << 24))
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: the token id {} is out of range", definition.origin, id));
    if (static_cast<std::size_t>(id) >= bytes_.size())
      bytes_.resize(id + 1);
    return static_cast<std::size_t>(id);
  };
  for (std::size_t id = 0; id < definition.tokens.size(); ++id)
    bytes_[slotOf(id)] = bytesOfCharacters(definition.tokens[id]);
  for (const auto &[text, id] : added_) {
    if (text.empty())
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: the added token {} is empty", definition.origin, id));
    bytes_[slotOf(id)] = text;
  }
  for (std::int64_t id : definition.special)
    slotOf(id);
  for (std::int64_t id : prefix_)
    slotOf(id);
  special_.resize(bytes_.size());
  for (std::int64_t id : definition.special)
    special_[id] = true;
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text, bool take_special) const {
  requireUtf8(text); // in one place for the whole text, so that the message counts bytes from its start
  std::vector<std::int64_t> ids;
  std::size_t plain_begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::pair<const std::string, std::int64_t> *longest = nullptr;
    // The added tokens that start with this byte are neighbours in the map.
    for (auto it = added_.lower_bound(text.substr(at, 1)); it != added_.end() && it->first[0] == text[at];
         ++it)
      if (text.substr(at).starts_with(it->first) && (take_special || !special_[it->second]) &&
          (!longest || it->first.size() > longest->first.size()))
        longest = &*it;
    if (!longest) {
      ++at;
      continue;
    }
    encodeWords(text.substr(plain_begin, at - plain_begin), ids);
    ids.push_back(longest->second);
    at += longest->first.size();
    plain_begin = at;
  }
  encodeWords(text.substr(plain_begin), ids);
  return ids;
}

void Tokenizer::encodeWords(std::string_view text, std::vector<std::int64_t> &ids) const {
  for (const std::string &word : pre_tokenizer_.split(text))
    merger_.encode(word, ids);
}

std::string Tokenizer::bytesOf(std::int64_t id) const {
  if (id < 0)
    throw Error(ErrorCode::invalidArgument, fmt::format("a token id must not be negative, got {}", id));
  // A model's head may have more rows than the tokenizer has tokens.
  if (id >= size() || special_[id])
    return {};
  return bytes_[id];
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids) const {
  StreamDecoder stream;
  std::string text;
  for (std::int64_t id : ids)
    text += stream.push(bytesOf(id));
  return text + stream.finish();
}

std::optional<std::int64_t> Tokenizer::idOf(std::string_view added_token) const {
  auto found = added_.find(added_token);
  return found == added_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace linmu::models
