#include "models/text/byte_pair_merger.h"
#include "models/text/byte_level.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <queue>

namespace linmu::models {
namespace {

std::uint64_t keyOf(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

} // namespace

BytePairMerger::BytePairMerger(const std::vector<std::string> &tokens,
                               const std::vector<std::pair<std::string, std::string>> &merges,
                               bool whole_words, const std::string &origin) {
  auto corrupt = [&](const std::string &message) {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin, message));
  };
  std::unordered_map<std::string_view, std::int32_t> ids;
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty() && !ids.emplace(tokens[id], static_cast<std::int32_t>(id)).second)
      corrupt(fmt::format("the token '{}' is given twice, as {} and {}", tokens[id], ids[tokens[id]], id));
  auto idOf = [&](const std::string &token, const char *what) {
    auto found = ids.find(token);
    if (found == ids.end())
      corrupt(fmt::format("{} '{}' is not in the vocabulary", what, token));
    return found->second;
  };
  for (int byte = 0; byte < 256; ++byte) {
    auto found = ids.find(byteCharacter(byte));
    byte_ids_[byte] = found == ids.end() ? -1 : found->second;
  }
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto &[left, right] = merges[rank];
    Merge merge{static_cast<std::int32_t>(rank), idOf(left + right, "the result of a merge")};
    merges_.emplace(keyOf(idOf(left, "the part of a merge"), idOf(right, "the part of a merge")), merge);
  }
  if (whole_words)
    for (const auto &[token, id] : ids)
      words_.emplace(bytesOfCharacters(token), id);
}

const BytePairMerger::Merge *BytePairMerger::find(std::int32_t left, std::int32_t right) const {
  auto found = merges_.find(keyOf(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairMerger::encode(std::string_view word, std::vector<std::int64_t> &ids) const {
  if (auto found = words_.find(std::string(word)); found != words_.end()) {
    ids.push_back(found->second);
    return;
  }
  // A linked list over the bytes; a merged symbol keeps the place of its left part.
  struct Symbol {
    std::int32_t id, previous, next;
  };
  std::vector<Symbol> symbols;
  for (unsigned char byte : word) {
    if (byte_ids_[byte] < 0) // as the reference does, a byte without a token is left out
      continue;
    auto place = static_cast<std::int32_t>(symbols.size());
    symbols.push_back({byte_ids_[byte], place - 1, place + 1});
  }
  if (symbols.empty())
    return;
  symbols.back().next = -1;

  struct Candidate {
    std::int32_t rank, place, left, right;
    bool operator>(const Candidate &other) const {
      return std::pair(rank, place) > std::pair(other.rank, other.place);
    }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  auto consider = [&](std::int32_t place) {
    if (place < 0 || symbols[place].next < 0)
      return;
    std::int32_t left = symbols[place].id, right = symbols[symbols[place].next].id;
    if (const Merge *merge = find(left, right))
      candidates.push({merge->rank, place, left, right});
  };
  for (std::size_t place = 0; place < symbols.size(); ++place)
    consider(static_cast<std::int32_t>(place));

  while (!candidates.empty()) {
    Candidate candidate = candidates.top();
    candidates.pop();
    Symbol &left = symbols[candidate.place];
    // Stale if one of its parts has been merged since; the id of a consumed symbol is -1.
    if (left.id != candidate.left || left.next < 0 || symbols[left.next].id != candidate.right)
      continue;
    Symbol &right = symbols[left.next];
    left.id = find(candidate.left, candidate.right)->result;
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
