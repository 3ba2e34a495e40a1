// What a checkpoint says about the shape of a decoder.
#pragma once
#include "models/io/gguf_file.h"
#include "models/io/rotary_scaling.h"
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace linmu::models {

/// The Llama and Qwen2 family: embedding, then `layers` times (RMSNorm, token mixing, RMSNorm, SwiGLU MLP),
/// RMSNorm, head.
struct DecoderConfig {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t key_value_heads = 0; ///< divides `heads`
  std::int64_t head_dim = 0;        ///< even
  double rms_epsilon = 1e-6;
  double rope_theta = 10000.0;
  RotaryScaling rope_scaling{};
  bool tied_embeddings = false; ///< the head is the embedding, transposed
  bool query_key_value_bias = false;
  bool output_bias = false;
  bool mmate = false; ///< M-MATE mixes tokens, not attention (LinmuForCausalLM)
  bool operator==(const DecoderConfig &) const = default;
};

/// Reads Hugging Face's `config.json` of LlamaForCausalLM, Qwen2ForCausalLM or, as `linmu distill` writes it,
/// LinmuForCausalLM. Throws Error(unsupported)
/// naming the key and its value for what this decoder does not compute (scalings of the rotary embedding
/// other than linear, dynamic, llama3 and yarn, sliding windows, biases in the MLP, another activation or
/// architecture), Error(corruptFile) for a missing key or a value that does not fit.
DecoderConfig readConfigJson(const std::filesystem::path &path);
/// The same of an object that lies in another; `origin` is for messages.
DecoderConfig readConfigJson(const nlohmann::json &object, const std::string &origin);

/// The same from the metadata of a GGUF file whose `general.architecture` is llama or qwen2, and from its
/// tensor `rope_freqs.weight`. A key of the architecture that is not known is refused by name.
DecoderConfig readGgufConfig(const GgufFile &file);

/// Throws Error(corruptFile) naming `origin` and the first field that is out of range.
void checkConfig(const DecoderConfig &config, const std::string &origin);

} // namespace linmu::models
