#include "models/text/byte_pair_merger.h"
#include "models/text/utf8.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <queue>

namespace linmu::models {
namespace {

std::uint64_t keyOf(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

} // namespace

BytePairMerger::BytePairMerger(Vocabulary vocabulary,
                               const std::vector<std::pair<std::string, std::string>> &merges,
                               BytePairOptions options, const std::string &origin)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)), origin_(origin) {
  auto idOf = [&](const std::string &token, const char *what) {
    auto found = vocabulary_.find(token);
    if (found == vocabulary_.end())
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: {} '{}' is not in the vocabulary", origin, what, token));
    return found->second;
  };
  if (options_.unknown)
    if (auto found = vocabulary_.find(*options_.unknown); found != vocabulary_.end())
      unknown_ = found->second;
  for (int byte = 0; byte < 256; ++byte) {
    auto found = vocabulary_.find(fmt::format("<0x{:02X}>", byte));
    byte_ids_[byte] = found == vocabulary_.end() ? -1 : found->second;
  }
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto &[left, right] = merges[rank];
    std::int32_t left_id = idOf(left, "the part of a merge"), right_id = idOf(right, "the part of a merge");
    std::string merged = left + right.substr(std::min(right.size(), options_.continuing_prefix.size()));
    merges_.insert_or_assign(keyOf(left_id, right_id),
                             Merge{static_cast<std::int32_t>(rank), idOf(merged, "the result of a merge")});
  }
}

const BytePairMerger::Merge *BytePairMerger::find(std::int32_t left, std::int32_t right) const {
  auto found = merges_.find(keyOf(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<std::int32_t> BytePairMerger::charactersOf(std::string_view word) const {
  std::vector<std::int32_t> ids;
  ids.reserve(word.size());
  bool unknown_pending = false;
  std::string affixed;
  for (std::size_t at = 0; at < word.size();) {
    std::size_t begin = at;
    nextCodePoint(word, at);
    std::string_view character = word.substr(begin, at - begin);
    bool prefixed = begin > 0 && !options_.continuing_prefix.empty();
    bool suffixed = at == word.size() && !options_.end_suffix.empty();
    if (prefixed || suffixed) {
      affixed = fmt::format("{}{}{}", prefixed ? options_.continuing_prefix : "", character,
                            suffixed ? options_.end_suffix : "");
      character = affixed;
    }
    if (auto found = vocabulary_.find(character); found != vocabulary_.end()) {
      if (unknown_pending)
        ids.push_back(unknown_);
      unknown_pending = false;
      ids.push_back(found->second);
      continue;
    }
    auto hasId = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)] >= 0; };
    if (options_.byte_fallback && std::ranges::all_of(character, hasId)) {
      // As in the reference, an unknown token that is still open follows these bytes.
      for (char byte : character)
        ids.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
      continue;
    }
    if (!options_.unknown) // as in the reference, the character is left out
      continue;
    if (unknown_ < 0)
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: '{}' has no token, and the unknown token '{}' is not in "
                              "the vocabulary",
                              origin_, character, *options_.unknown));
    if (unknown_pending && !options_.fuse_unknown)
      ids.push_back(unknown_);
    unknown_pending = true;
  }
  if (unknown_pending)
    ids.push_back(unknown_);
  return ids;
}

void BytePairMerger::encode(std::string_view word, std::vector<std::int64_t> &ids) const {
  if (options_.whole_words)
    if (auto found = vocabulary_.find(word); found != vocabulary_.end()) {
      ids.push_back(found->second);
      return;
    }
  // A linked list over the characters; a merged symbol keeps the place of its left part.
  struct Symbol {
    std::int32_t id, previous, next;
  };
  std::vector<Symbol> symbols;
  for (std::int32_t id : charactersOf(word)) {
    auto place = static_cast<std::int32_t>(symbols.size());
    symbols.push_back({id, place - 1, place + 1});
  }
  if (symbols.empty())
    return;
  symbols.back().next = -1;

  struct Candidate {
    std::int32_t rank, place, result;
    bool operator>(const Candidate &other) const {
      return std::pair(rank, place) > std::pair(other.rank, other.place);
    }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  auto consider = [&](std::int32_t place) {
    if (place < 0 || symbols[place].next < 0)
      return;
    if (const Merge *merge = find(symbols[place].id, symbols[symbols[place].next].id))
      candidates.push({merge->rank, place, merge->result});
  };
  for (std::size_t place = 0; place < symbols.size(); ++place)
    consider(static_cast<std::int32_t>(place));

  while (!candidates.empty()) {
    Candidate candidate = candidates.top();
    candidates.pop();
    Symbol &left = symbols[candidate.place];
    if (left.id < 0 || left.next < 0) // consumed, or at the end by now
      continue;
    Symbol &right = symbols[left.next];
    // Stale if what stands here now no longer merges to the same token.
    const Merge *merge = find(left.id, right.id);
    if (!merge || merge->result != candidate.result)
      continue;
    left.id = merge->result;
    left.next = right.next;
    if (right.next >= 0)
      symbols[right.next].previous = candidate.place;
    right.id = -1;
    consider(left.previous);
    consider(candidate.place);
  }
  for (std::int32_t place = 0; place >= 0; place = symbols[place].next)
    ids.push_back(symbols[place].id);
}

} // namespace linmu::models
