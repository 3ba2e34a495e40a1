// DecoderConfig from the metadata of a GGUF file.
#include "models/io/decoder_config.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <string_view>

namespace linmu::models {
namespace {

[[noreturn]] void unsupported(const GgufFile &file, const std::string &message) {
  throw Error(ErrorCode::unsupported, fmt::format("{}: {}", file.path().string(), message));
}

/// Any other key of the architecture may change what the model computes.
void requireKnownKeys(const GgufFile &file, const std::string &family) {
  static constexpr std::string_view known[] = {
      // read here
      "embedding_length", "feed_forward_length", "block_count", "attention.head_count",
      "attention.head_count_kv", "attention.key_length", "attention.value_length",
      "attention.layer_norm_rms_epsilon", "rope.dimension_count", "rope.freq_base", "rope.scale_linear",
      "rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length",
      "rope.scaling.attn_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
      "expert_count", "vocab_size", "context_length",
      // without an effect on a dense decoder
      "expert_used_count", "rope.scaling.finetuned", "tensor_data_layout"};
  for (const auto &[key, value] : file.metadata())
    if (key.starts_with(family + ".") &&
        std::ranges::find(known, std::string_view(key).substr(family.size() + 1)) == std::end(known))
      unsupported(file,
                  fmt::format("the metadata '{}' is not known, and may change what the model computes", key));
}

/// The divisors of the frequencies that llama.cpp's converter makes of the scaling 'llama3'.
std::vector<float> readDivisors(const GgufFile &file) {
  auto found = file.tensors().find("rope_freqs.weight");
  if (found == file.tensors().end())
    return {};
  if (found->second.type != GgufTensorType::f32)
    unsupported(file, "the tensor 'rope_freqs.weight' must be F32");
  std::vector<float> divisors(static_cast<std::size_t>(found->second.elements()));
  std::memcpy(divisors.data(), found->second.bytes.data(), found->second.bytes.size());
  return divisors;
}

/// As llama.cpp reads it: a factor without a type is linear, and 0 is none.
RotaryScaling readScaling(const GgufFile &file, const std::string &family) {
  auto key = [&](const char *field) { return family + ".rope." + field; };
  auto numberOr = [&](const char *field, double otherwise) {
    return file.has(key(field)) ? file.number(key(field)) : otherwise;
  };
  RotaryScaling scaling;
  scaling.divisors = readDivisors(file);
  std::string type(file.has(key("scaling.type")) ? file.string(key("scaling.type")) : "linear");
  double factor = numberOr("scaling.factor", numberOr("scale_linear", 0));
  scaling.amplitude = numberOr("scaling.attn_factor", 1);
  if (type == "linear" || type == "yarn")
    scaling.factor = factor != 0 ? factor : 1;
  else if (type != "none")
    unsupported(file, fmt::format("{} is '{}', supported are 'none', 'linear' and 'yarn'",
                                  key("scaling.type"), type));
  if (type == "linear" && scaling.factor != 1)
    scaling.type = RotaryScalingType::linear;
  if (type != "yarn")
    return scaling;
  scaling.type = RotaryScalingType::yarn;
  scaling.original_length = file.has(key("scaling.original_context_length"))
                                ? file.number(key("scaling.original_context_length"))
                                : file.number(family + ".context_length");
  scaling.beta_fast = numberOr("scaling.yarn_beta_fast", scaling.beta_fast);
  scaling.beta_slow = numberOr("scaling.yarn_beta_slow", scaling.beta_slow);
  scaling.amplitude *= yarnAmplitude(scaling.factor);
  return scaling;
}

} // namespace

DecoderConfig readGgufConfig(const GgufFile &file) {
  auto unsupported = [&](const std::string &message) { models::unsupported(file, message); };
  auto corrupt = [&](const std::string &message) {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", file.path().string(), message));
  };
  std::string family(file.string("general.architecture"));
  if (family != "llama" && family != "qwen2")
    unsupported(fmt::format("general.architecture is '{}', supported are 'llama' and 'qwen2'", family));
  auto key = [&](const char *field) { return family + "." + field; };
  auto integerOr = [&](const std::string &name, std::int64_t otherwise) {
    return file.has(name) ? file.integer(name) : otherwise;
  };
  if (integerOr(key("expert_count"), 0) != 0)
    unsupported(
        fmt::format("{} is {}, supported is 0", key("expert_count"), file.integer(key("expert_count"))));
  requireKnownKeys(file, family);

  DecoderConfig config;
  config.hidden_size = file.integer(key("embedding_length"));
  config.intermediate_size = file.integer(key("feed_forward_length"));
  config.layers = file.integer(key("block_count"));
  config.heads = file.integer(key("attention.head_count"));
  config.key_value_heads = integerOr(key("attention.head_count_kv"), config.heads);
  if (file.has(key("attention.key_length")))
    config.head_dim = file.integer(key("attention.key_length"));
  else if (config.heads > 0 && config.hidden_size % config.heads == 0)
    config.head_dim = config.hidden_size / config.heads;
  else
    corrupt(fmt::format("attention.head_count {} must divide embedding_length {}", config.heads,
                        config.hidden_size));
  if (std::int64_t values = integerOr(key("attention.value_length"), config.head_dim);
      values != config.head_dim)
    unsupported(fmt::format("{} is {}, supported is the key length {}", key("attention.value_length"), values,
                            config.head_dim));
  if (std::int64_t rotary = integerOr(key("rope.dimension_count"), config.head_dim);
      rotary != config.head_dim)
    unsupported(fmt::format("{} is {}, supported is the head size {}", key("rope.dimension_count"), rotary,
                            config.head_dim));
  config.rms_epsilon = file.number(key("attention.layer_norm_rms_epsilon"));
  config.rope_theta = file.has(key("rope.freq_base")) ? file.number(key("rope.freq_base")) : 10000.0;
  config.rope_scaling = readScaling(file, family);
  config.tied_embeddings = !file.tensors().contains("output.weight");
  config.query_key_value_bias = file.tensors().contains("blk.0.attn_q.bias");
  config.output_bias = file.tensors().contains("blk.0.attn_output.bias");

  auto embedding = file.tensors().find("token_embd.weight");
  if (embedding == file.tensors().end())
    corrupt("requires the tensor 'token_embd.weight'");
  config.vocab_size = embedding->second.shape.front();
  if (std::int64_t stated = integerOr(key("vocab_size"), config.vocab_size); stated != config.vocab_size)
    corrupt(fmt::format("{} is {}, the embedding has {} rows", key("vocab_size"), stated, config.vocab_size));
  checkConfig(config, file.path().string());
  return config;
}

} // namespace linmu::models
