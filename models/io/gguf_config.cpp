// DecoderConfig from the metadata of a GGUF file.
#include "models/io/decoder_config.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>

namespace linmu::models {

DecoderConfig readGgufConfig(const GgufFile &file) {
  auto unsupported = [&](const std::string &message) {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", file.path().string(), message));
  };
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
  if (file.has(key("rope.scaling.type")) && file.string(key("rope.scaling.type")) != "none")
    unsupported(fmt::format("{} is '{}', supported is 'none'", key("rope.scaling.type"),
                            file.string(key("rope.scaling.type"))));

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
