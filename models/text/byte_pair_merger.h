// Byte-pair encoding of one word: pairs of neighbouring tokens are merged, the earliest learnt pair first.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace linmu::models {

class BytePairMerger {
public:
  /// `tokens[id]` in the byte-level alphabet; `merges` in the order in which they were learnt. Throws
  /// Error(corruptFile) naming `origin` if a byte has no token, a token is given twice, or a merge names a
  /// token that does not exist. `whole_words` takes a word that is itself a token without merging.
  BytePairMerger(const std::vector<std::string> &tokens,
                 const std::vector<std::pair<std::string, std::string>> &merges, bool whole_words,
                 const std::string &origin);

  /// Appends the tokens of the bytes of `word`. O(n log n).
  void encode(std::string_view word, std::vector<std::int64_t> &ids) const;

private:
  struct Merge {
    std::int32_t rank, result;
  };
  const Merge *find(std::int32_t left, std::int32_t right) const;

  std::int32_t byte_ids_[256];
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::unordered_map<std::string, std::int32_t> words_; ///< by bytes; empty unless `whole_words`
};

} // namespace linmu::models
