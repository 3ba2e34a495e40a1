// Byte-level byte-pair encoding.
#pragma once
#include "models/io/gguf_file.h"
#include "models/text/byte_pair_merger.h"
#include "models/text/pre_tokenizer.h"
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

class Tokenizer {
public:
  /// From the metadata `tokenizer.ggml.*`. Throws Error(unsupported) for a tokenizer model other than `gpt2`
  /// or a pre-tokenizer other than `smollm`, `gpt-2` and `qwen2`.
  static Tokenizer fromGguf(const GgufFile &file);
  /// From Hugging Face's `tokenizer.json`. Throws Error(unsupported) naming what is not byte-level
  /// byte-pair encoding.
  static Tokenizer fromJson(const std::filesystem::path &path);

  /// What both sources come to.
  struct Definition {
    std::string origin;              ///< for messages
    std::vector<std::string> tokens; ///< by id, in the byte-level alphabet; empty: no such token
    std::vector<std::pair<std::string, std::string>> merges;
    std::vector<std::string> patterns;         ///< of the pre-tokenizer
    bool normalize = false;                    ///< to NFC
    bool whole_words = false;                  ///< a word that is a token is not merged
    std::map<std::string, std::int64_t> added; ///< taken from text before anything else, by their own text
    std::vector<std::int64_t> special;         ///< ids that `decode` leaves out
    std::vector<std::int64_t> prefix;          ///< what a sequence starts with (often nothing)
  };
  explicit Tokenizer(Definition definition);

  /// Token ids of UTF-8 `text`, without `prefix()`. Added tokens in the text become their ids, the longest
  /// first; with `take_special` false the special ones are plain text, as input of users should be.
  std::vector<std::int64_t> encode(std::string_view text, bool take_special = true) const;

  /// The bytes of one token: not valid UTF-8 by itself where a character spans tokens. Empty for an id that
  /// is special or has no token. Throws Error(invalidArgument) for a negative id.
  std::string bytesOf(std::int64_t id) const;

  /// The text without special tokens; bytes that are not valid UTF-8 become U+FFFD.
  std::string decode(std::span<const std::int64_t> ids) const;

  /// The id of an added token, e.g. `<|im_end|>`.
  std::optional<std::int64_t> idOf(std::string_view added_token) const;

  /// Tokens that a sequence starts with where the model was trained so.
  const std::vector<std::int64_t> &prefix() const { return prefix_; }
  /// One more than the largest id.
  std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }

private:
  void encodeWords(std::string_view text, std::vector<std::int64_t> &ids) const;

  BytePairMerger merger_;
  PreTokenizer pre_tokenizer_;
  std::map<std::string, std::int64_t, std::less<>> added_;
  std::vector<std::string> bytes_; ///< by id
  std::vector<bool> special_;      ///< by id
  std::vector<std::int64_t> prefix_;
};

} // namespace linmu::models
