// A checkpoint ready to be talked to: decoder, tokenizer, chat template.
#pragma once
#include "models/decoder/decoder.h"
#include "models/text/chat_template.h"
#include "models/text/tokenizer.h"
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace linmu::models {

struct LanguageModel {
  /// Opens a GGUF file, or a Hugging Face folder with `config.json`, safetensors and `tokenizer.json`, also
  /// one that `linmu distill` has written. Without a `form`, weights stay packed that the file packs;
  /// `packed` requires that it packs some. Throws linmu::Error naming the file and what does not fit.
  static LanguageModel open(const std::filesystem::path &path, std::optional<WeightForm> form = {});
  /// A decoder and tokenizer with the chat template and stop tokens of a Hugging Face folder. Throws as
  /// `open` does.
  static LanguageModel fromFolder(const std::filesystem::path &folder, Tokenizer tokenizer, Decoder decoder);

  Decoder decoder;
  Tokenizer tokenizer;
  std::string chat_template_text; ///< Jinja, as the checkpoint has it; empty without one
  std::string origin;
  /// Every id that ends a turn: what the files name as end of sequence, turn or message, and `<|im_end|>`
  /// where it exists.
  std::vector<std::int64_t> stop_tokens;

  /// Parses `chat_template_text`. Throws Error(unsupported) if there is none or it is not ChatML's.
  ChatTemplate chatTemplate() const;
};

/// The decoder that config.json, or the part of it that is `object`, describes: with attention or, where
/// `config` says M-MATE, with that of the key `linmu`. Throws as Decoder::load; Error(corruptFile) naming
/// `origin` without that key.
Decoder loadDecoder(const nlohmann::json &object, const std::string &origin, const DecoderConfig &config,
                    WeightReader &weights);

} // namespace linmu::models
