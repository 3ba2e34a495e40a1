// Byte-pair encoding, as the files of a checkpoint define it.
#pragma once
#include "models/io/gguf_file.h"
#include "models/text/added_tokens.h"
#include "models/text/byte_pair_merger.h"
#include "models/text/normalizer.h"
#include "models/text/pre_tokenizer.h"
#include "models/text/text_part.h"
#include "models/text/token_decoder.h"
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

/// Far above the last id of any vocabulary.
inline constexpr std::int64_t mostTokenId = 1 << 24;

class Tokenizer {
public:
  /// From the metadata `tokenizer.ggml.*`, read as llama.cpp reads them: user-defined tokens are always taken
  /// from a text, control and unknown tokens where they are asked for, and both of these are left out of
  /// decoded text. Throws Error(unsupported) for a tokenizer model other than `gpt2` or a pre-tokenizer other
  /// than `smollm`, `gpt-2` and `qwen2`.
  static Tokenizer fromGguf(const GgufFile &file);
  /// From Hugging Face's `tokenizer.json`, with the ids and the text that its library `tokenizers` gives.
  /// Truncation and padding, which are a matter of batches, do not apply. Throws Error(unsupported) naming
  /// what is not byte-pair encoding or not known.
  static Tokenizer fromJson(const std::filesystem::path &path);

  /// What both sources come to.
  struct Definition {
    std::string origin;    ///< for messages
    Vocabulary vocabulary; ///< each id once
    std::vector<std::pair<std::string, std::string>> merges;
    BytePairOptions options;
    std::vector<AddedToken> added;
    AddedTokenOrder added_order = AddedTokenOrder::leftmostLongest;
    std::vector<Normalizer> normalizers;
    std::vector<PreTokenizer> pre_tokenizers;
    /// The bytes of each token by itself, where text is these bytes one after the other; otherwise
    /// `decoders`.
    std::function<std::string(const std::string &token, bool added)> token_bytes;
    std::vector<TokenDecoder> decoders;
    std::vector<std::int64_t> prefix, suffix; ///< what a sequence starts and ends with (often nothing)
  };
  explicit Tokenizer(Definition definition);

  /// Token ids of UTF-8 `text`, without `prefix()` and `suffix()`. Added tokens in the text become their ids;
  /// the special ones stay text, as input of users should, unless `control_tokens` is true.
  std::vector<std::int64_t> encode(std::string_view text, bool control_tokens = false) const;
  /// The same of `parts` as one text. A control token becomes its id if it lies in parts that ask for it.
  std::vector<std::int64_t> encode(std::span<const TextPart> parts) const;

  /// The text without special tokens; bytes that are not valid UTF-8 become U+FFFD. Ids without a token count
  /// as nothing; throws Error(invalidArgument) for a negative one.
  std::string decode(std::span<const std::int64_t> ids) const;

  /// The id of an added token, e.g. `<|im_end|>`, or of a token with this text in the vocabulary.
  std::optional<std::int64_t> idOf(std::string_view token) const;

  /// Tokens that a sequence starts and ends with where the model was trained so.
  const std::vector<std::int64_t> &prefix() const { return prefix_; }
  const std::vector<std::int64_t> &suffix() const { return suffix_; }
  /// One more than the largest id.
  std::int64_t size() const { return static_cast<std::int64_t>(texts_.size()); }

private:
  friend class TextStream;
  std::vector<std::int64_t> encode(std::string_view text, const std::vector<UserText> &user_texts) const;
  /// What `decode` makes of one id: its text or, if `by_bytes_`, its bytes; empty for none.
  std::string_view textOf(std::int64_t id) const;
  bool shows(std::int64_t id) const { return id < size() && shown_[id]; }

  BytePairMerger merger_;
  AddedTokens added_;
  std::vector<PreTokenizer> pre_tokenizers_;
  std::vector<TokenDecoder> decoders_;
  bool by_bytes_;
  std::vector<std::string> texts_; ///< by id
  std::vector<bool> shown_;        ///< by id: exists and is not special
  std::vector<std::int64_t> prefix_, suffix_;
};

} // namespace linmu::models
