#include "models/text/tokenizer.h"
#include "models/text/text_stream.h"
#include "models/text/utf8.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {

Tokenizer::Tokenizer(Definition definition)
    : merger_(std::move(definition.vocabulary), definition.merges, definition.options, definition.origin),
      added_(definition.added, merger_.vocabulary(), definition.normalizers, definition.added_order,
             definition.origin),
      pre_tokenizers_(std::move(definition.pre_tokenizers)), decoders_(std::move(definition.decoders)),
      by_bytes_(definition.token_bytes != nullptr), prefix_(std::move(definition.prefix)),
      suffix_(std::move(definition.suffix)) {
  auto slotOf = [&](std::int64_t id) {
    if (id < 0 || id > mostTokenId)
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: the token id {} is out of range", definition.origin, id));
    if (static_cast<std::size_t>(id) >= texts_.size()) {
      texts_.resize(id + 1);
      shown_.resize(id + 1);
    }
    return static_cast<std::size_t>(id);
  };
  for (const auto &[text, id] : merger_.vocabulary()) {
    std::size_t slot = slotOf(id);
    texts_[slot] = by_bytes_ ? definition.token_bytes(text, false) : text;
    shown_[slot] = true;
  }
  for (const auto &[id, token] : added_.tokens()) {
    std::size_t slot = slotOf(id);
    texts_[slot] = by_bytes_ ? definition.token_bytes(token.content, true) : token.content;
    shown_[slot] = !token.special;
  }
  for (const auto &ids : {prefix_, suffix_})
    for (std::int64_t id : ids)
      slotOf(id);
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text, bool control_tokens) const {
  requireUtf8(text);
  std::vector<UserText> user_texts;
  if (!control_tokens)
    user_texts.push_back({0, text.size()});
  return encode(text, user_texts);
}

std::vector<std::int64_t> Tokenizer::encode(std::span<const TextPart> parts) const {
  std::string text;
  std::vector<UserText> user_texts;
  for (const TextPart &part : parts) {
    requireUtf8(part.text);
    std::size_t begin = text.size();
    text += part.text;
    if (!part.control_tokens && !part.text.empty())
      user_texts.push_back({begin, text.size()});
  }
  requireUtf8(text); // its length
  return encode(text, user_texts);
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text,
                                            const std::vector<UserText> &user_texts) const {
  std::vector<std::int64_t> ids;
  for (AddedTokenSplit &split : added_.split(text, user_texts)) {
    if (split.id >= 0) {
      ids.push_back(split.id);
      continue;
    }
    for (const Piece &word : preTokenize(pre_tokenizers_, std::move(split.piece)))
      merger_.encode(word.text, ids);
  }
  return ids;
}

std::optional<std::int64_t> Tokenizer::idOf(std::string_view token) const {
  if (auto id = added_.idOf(token))
    return id;
  auto found = merger_.vocabulary().find(token);
  return found == merger_.vocabulary().end() ? std::nullopt : std::optional<std::int64_t>(found->second);
}

std::string_view Tokenizer::textOf(std::int64_t id) const {
  if (id < 0)
    throw Error(ErrorCode::invalidArgument, fmt::format("a token id must not be negative, got {}", id));
  // A model's head may have more rows than the tokenizer has tokens.
  return shows(id) ? std::string_view(texts_[id]) : std::string_view();
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids) const {
  TextStream stream(*this);
  std::string text;
  for (std::int64_t id : ids)
    text += stream.push(id);
  return text + stream.finish();
}

} // namespace linmu::models
