#include "models/text/added_tokens.h"
#include "models/text/unicode_classes.h"
#include "models/text/utf8.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace linmu::models {
namespace {

/// How much of [begin, end) users gave.
enum class Given { none, part, all };

Given givenByUser(std::size_t begin, std::size_t end, const std::vector<UserText> &users) {
  auto first = std::ranges::partition_point(users, [&](const UserText &each) { return each.end <= begin; });
  if (first == users.end() || first->begin >= end)
    return Given::none;
  return first->begin <= begin && end <= first->end ? Given::all : Given::part;
}

/// The parts of `users` in [begin, end), counted from `begin`.
std::vector<UserText> clip(const std::vector<UserText> &users, std::size_t begin, std::size_t end) {
  std::vector<UserText> result;
  for (const UserText &each : users)
    if (each.begin < end && each.end > begin)
      result.push_back({std::max(each.begin, begin) - begin, std::min(each.end, end) - begin});
  return result;
}

bool isSingleWord(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !isWordCharacter(previousCodePoint(text, begin))) &&
         (end == text.size() || !isWordCharacter(nextCodePoint(text, end)));
}

std::size_t withSpaceBefore(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin; at > 0 && isWhiteSpace(previousCodePoint(text, at));)
    begin = at;
  return begin;
}

std::size_t withSpaceBehind(std::string_view text, std::size_t end) {
  for (std::size_t at = end; at < text.size() && isWhiteSpace(nextCodePoint(text, at));)
    end = at;
  return end;
}

} // namespace

void AddedTokens::Matcher::add(std::string_view text, std::int64_t id) {
  std::uint32_t node = 0;
  for (char byte : text) {
    auto [child, is_new] = nodes[node].next.try_emplace(static_cast<unsigned char>(byte), nodes.size());
    node = child->second;
    if (is_new)
      nodes.emplace_back();
  }
  if (nodes[node].id < 0) // of equal texts the first counts
    nodes[node].id = id;
}

AddedTokens::AddedTokens(const std::vector<AddedToken> &tokens, const Vocabulary &vocabulary,
                         const std::vector<Normalizer> &normalizers, AddedTokenOrder order,
                         const std::string &origin)
    : normalizers_(normalizers), order_(order) {
  std::unordered_set<std::string> special_contents;
  std::vector<AddedToken> special, plain;
  for (const AddedToken &token : tokens)
    if (token.special && special_contents.insert(token.content).second)
      special.push_back(token);
  auto next_id = static_cast<std::int64_t>(vocabulary.size());
  for (const AddedToken &token : tokens) {
    auto found = ids_.find(token.content);
    if (found != ids_.end() && tokens_[found->second] == token)
      continue;
    std::int64_t id = 0;
    if (found != ids_.end())
      id = found->second;
    else if (auto known = vocabulary.find(token.content); known != vocabulary.end())
      id = known->second;
    else
      id = next_id++;
    ids_.insert_or_assign(token.content, static_cast<std::int32_t>(id));
    tokens_.insert_or_assign(id, token);
    if (!special_contents.contains(token.content))
      plain.push_back(token);
  }
  special.insert(special.end(), plain.begin(), plain.end());
  for (const AddedToken &token : special) {
    std::int64_t id = ids_.find(token.content)->second;
    std::string text = token.normalized ? normalise({token.content, 0}).text : token.content;
    if (text.empty())
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: the added token '{}' ({}) is empty{}", origin, token.content, id,
                              token.normalized ? " after normalisation" : ""));
    (token.normalized ? normalised_ : as_given_).add(text, id);
  }
  for (const auto &[id, token] : tokens_)
    by_length_.push_back(id);
  std::ranges::sort(by_length_, [&](std::int64_t a, std::int64_t b) {
    return std::pair(tokens_[b].content.size(), a) < std::pair(tokens_[a].content.size(), b);
  });
}

Piece AddedTokens::normalise(Piece piece) const {
  for (const Normalizer &normalizer : normalizers_)
    normalizer(piece);
  return piece;
}

std::optional<std::int64_t> AddedTokens::idOf(std::string_view content) const {
  auto found = ids_.find(content);
  return found == ids_.end() ? std::nullopt : std::optional<std::int64_t>(found->second);
}

std::vector<AddedTokens::Found> AddedTokens::search(const Matcher &matcher, std::string_view text,
                                                    const std::vector<UserText> &users) const {
  std::vector<Found> found;
  for (std::size_t at = 0; !matcher.empty() && at < text.size();) {
    Found longest{at, at, -1};
    std::uint32_t node = 0;
    for (std::size_t end = at; end < text.size();) {
      auto child = matcher.nodes[node].next.find(static_cast<unsigned char>(text[end]));
      if (child == matcher.nodes[node].next.end())
        break;
      node = child->second;
      ++end;
      // A control token that only begins or ends in a user's text is not there; one that lies in it is found
      // and left as text, as the reference leaves it.
      std::int64_t id = matcher.nodes[node].id;
      if (id >= 0 && !(tokens_.at(id).special && givenByUser(at, end, users) == Given::part))
        longest = {at, end, id};
    }
    if (longest.id < 0) {
      ++at;
      continue;
    }
    found.push_back(longest);
    at = longest.end;
  }
  return found;
}

void AddedTokens::splitLeftmost(const Matcher &matcher, Piece piece, const std::vector<UserText> &users,
                                std::vector<AddedTokenSplit> &splits,
                                std::vector<std::vector<UserText>> &split_users) const {
  std::size_t plain_begin = 0;
  std::string_view text = piece.text;
  auto add = [&](std::size_t begin, std::size_t end, std::int64_t id) {
    if (begin >= end)
      return;
    splits.push_back({piece.slice(begin, end), id});
    split_users.push_back(clip(users, begin, end));
  };
  for (auto [begin, end, id] : search(matcher, text, users)) {
    const AddedToken &token = tokens_.at(id);
    if (token.special && givenByUser(begin, end, users) != Given::none)
      continue;
    if (token.single_word && !isSingleWord(text, begin, end))
      continue;
    if (token.left_strip)
      begin = std::max(withSpaceBefore(text, begin), plain_begin);
    if (token.right_strip)
      end = withSpaceBehind(text, end);
    add(plain_begin, begin, -1);
    add(begin, end, id);
    plain_begin = end;
  }
  add(plain_begin, text.size(), -1);
}

std::vector<AddedTokenSplit> AddedTokens::splitLongestFirst(std::string_view text,
                                                            const std::vector<UserText> &users) const {
  std::vector<Found> parts{{0, text.size(), -1}};
  for (std::int64_t id : by_length_) {
    const AddedToken &token = tokens_.at(id);
    std::vector<Found> next;
    for (const Found &part : parts) {
      std::size_t plain_begin = part.begin;
      std::string_view until = text.substr(0, part.end);
      for (std::size_t at = part.begin; part.id < 0 && (at = until.find(token.content, at)) != until.npos;) {
        std::size_t end = at + token.content.size();
        if (token.special && givenByUser(at, end, users) != Given::none) {
          ++at;
          continue;
        }
        next.push_back({plain_begin, at, -1});
        next.push_back({at, end, id});
        plain_begin = at = end;
      }
      next.push_back({plain_begin, part.end, part.id});
    }
    std::erase_if(next, [](const Found &each) { return each.begin == each.end; });
    parts = std::move(next);
  }
  std::vector<AddedTokenSplit> splits;
  for (const Found &part : parts) {
    Piece piece{std::string(text.substr(part.begin, part.end - part.begin)), 0};
    splits.push_back({part.id < 0 ? normalise(std::move(piece)) : std::move(piece), part.id});
  }
  return splits;
}

std::vector<AddedTokenSplit> AddedTokens::split(std::string_view text,
                                                const std::vector<UserText> &user_texts) const {
  if (order_ == AddedTokenOrder::longestFirst)
    return splitLongestFirst(text, user_texts);
  std::size_t first_end = 0;
  if (!text.empty())
    nextCodePoint(text, first_end);
  std::vector<AddedTokenSplit> given, splits;
  std::vector<std::vector<UserText>> users, ignored;
  splitLeftmost(as_given_, {std::string(text), first_end}, user_texts, given, users);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].id >= 0) {
      splits.push_back(std::move(given[i]));
      continue;
    }
    // Where a user's text lies after normalisation follows from the length of what comes before.
    Piece normalised = normalise(given[i].piece);
    if (normalizers_.empty() || normalised_.empty()) {
      splitLeftmost(normalised_, std::move(normalised), users[i], splits, ignored);
      continue;
    }
    for (UserText &each : users[i]) {
      auto lengthUntil = [&](std::size_t end) { return normalise(given[i].piece.slice(0, end)).text.size(); };
      std::size_t size = given[i].piece.text.size(), new_size = normalised.text.size();
      each = {each.begin == 0 ? 0 : std::min(lengthUntil(each.begin), new_size),
              each.end == size ? new_size : std::min(lengthUntil(each.end), new_size)};
    }
    splitLeftmost(normalised_, std::move(normalised), users[i], splits, ignored);
  }
  return splits;
}

} // namespace linmu::models
