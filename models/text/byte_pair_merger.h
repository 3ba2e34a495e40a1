// Byte-pair encoding of one word: pairs of neighbouring tokens are merged, the earliest learnt pair first.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace linmu::models {

/// Tokens by their text.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Vocabulary = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

struct BytePairOptions {
  std::optional<std::string> unknown; ///< the token of a character that has none; without it, none
  bool fuse_unknown = false;          ///< one unknown token for a run of such characters
  bool byte_fallback = false;    ///< a character without a token becomes the tokens `<0x..>` of its bytes
  bool whole_words = false;      ///< a word that is itself a token is not taken apart
  std::string continuing_prefix; ///< before every character of a word but the first
  std::string end_suffix;        ///< behind the last character of a word
};

class BytePairMerger {
public:
  /// `merges` in the order in which they were learnt; of a pair given twice the last counts. Throws
  /// Error(corruptFile) naming `origin` and the token if a merge names one that does not exist.
  BytePairMerger(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>> &merges,
                 BytePairOptions options, const std::string &origin);

  /// Appends the tokens of `word` (UTF-8, as the pre-tokenizer left it). O(n log n). Throws
  /// Error(corruptFile) if the unknown token is needed and not in the vocabulary.
  void encode(std::string_view word, std::vector<std::int64_t> &ids) const;

  const Vocabulary &vocabulary() const { return vocabulary_; }

private:
  struct Merge {
    std::int32_t rank, result;
  };
  const Merge *find(std::int32_t left, std::int32_t right) const;
  std::vector<std::int32_t> charactersOf(std::string_view word) const;

  Vocabulary vocabulary_;
  BytePairOptions options_;
  std::string origin_;
  std::int32_t unknown_ = -1;
  std::int32_t byte_ids_[256]; ///< of `<0x00>` to `<0xFF>`; -1 for those that do not exist
  std::unordered_map<std::uint64_t, Merge> merges_;
};

} // namespace linmu::models
