// Tokens that are taken from a text before it is split into words.
#pragma once
#include "models/text/byte_pair_merger.h"
#include "models/text/normalizer.h"
#include "models/text/piece.h"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace linmu::models {

struct AddedToken {
  std::string content;
  bool single_word = false; ///< not beside a word character
  bool left_strip = false;  ///< takes the white space before it
  bool right_strip = false; ///< takes the white space behind it
  bool normalized = false;  ///< looked for, in its normalised form, in the normalised text
  bool special = false;     ///< a control token: left out of decoded text
  bool operator==(const AddedToken &) const = default;
};

/// Where a text was given by a user: control tokens are not taken from bytes [begin, end).
struct UserText {
  std::size_t begin, end;
};

/// A piece of text, or the token that was found in its place.
struct AddedTokenSplit {
  Piece piece;
  std::int64_t id = -1; ///< -1: none, `piece` is text
};

/// Whether a text is read from left to right, the longest token at each place, as Hugging Face's `tokenizers`
/// does, or once for each token, the longest first, as llama.cpp does.
enum class AddedTokenOrder { leftmostLongest, longestFirst };

class AddedTokens {
public:
  /// A token in the vocabulary has its id from there; others are numbered on from the vocabulary's size, as
  /// the reference does. Throws Error(unsupported) naming a token that becomes empty when it is normalised.
  AddedTokens(const std::vector<AddedToken> &tokens, const Vocabulary &vocabulary,
              const std::vector<Normalizer> &normalizers, AddedTokenOrder order, const std::string &origin);

  /// Pieces of `text`, whose `user_texts` are in order and apart, without empty ones: first the tokens that
  /// are not normalised, then, in what lies between after the normalizers, those that are.
  std::vector<AddedTokenSplit> split(std::string_view text, const std::vector<UserText> &user_texts) const;

  std::optional<std::int64_t> idOf(std::string_view content) const;
  /// By id.
  const std::unordered_map<std::int64_t, AddedToken> &tokens() const { return tokens_; }

private:
  /// A trie over bytes.
  struct Matcher {
    struct Node {
      std::unordered_map<unsigned char, std::uint32_t> next;
      std::int64_t id = -1;
    };
    std::vector<Node> nodes{1};
    void add(std::string_view text, std::int64_t id);
    bool empty() const { return nodes.size() == 1; }
  };
  struct Found {
    std::size_t begin, end;
    std::int64_t id;
  };
  std::vector<Found> search(const Matcher &matcher, std::string_view text,
                            const std::vector<UserText> &users) const;
  void splitLeftmost(const Matcher &matcher, Piece piece, const std::vector<UserText> &users,
                     std::vector<AddedTokenSplit> &splits,
                     std::vector<std::vector<UserText>> &split_users) const;
  std::vector<AddedTokenSplit> splitLongestFirst(std::string_view text,
                                                 const std::vector<UserText> &users) const;
  Piece normalise(Piece piece) const;

  std::unordered_map<std::int64_t, AddedToken> tokens_;
  Vocabulary ids_;
  std::vector<std::int64_t> by_length_; ///< for `longestFirst`
  Matcher as_given_, normalised_;
  std::vector<Normalizer> normalizers_;
  AddedTokenOrder order_;
};

} // namespace linmu::models
