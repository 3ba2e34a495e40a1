#include "models/io/decoder_config.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {
namespace {

// Far above any model, and low enough that no product of two sizes overflows.
constexpr std::int64_t maxSize = 1 << 24;

} // namespace

void checkConfig(const DecoderConfig &config, const std::string &origin) {
  auto require = [&](bool holds, const std::string &message) {
    if (!holds)
      throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin, message));
  };
  auto inRange = [&](const char *field, std::int64_t value) {
    require(value >= 1 && value <= maxSize, fmt::format("{} must be 1 to {}, got {}", field, maxSize, value));
  };
  inRange("vocab_size", config.vocab_size);
  inRange("hidden_size", config.hidden_size);
  inRange("intermediate_size", config.intermediate_size);
  inRange("num_hidden_layers", config.layers);
  inRange("num_attention_heads", config.heads);
  inRange("num_key_value_heads", config.key_value_heads);
  inRange("head_dim", config.head_dim);
  require(config.heads % config.key_value_heads == 0,
          fmt::format("num_key_value_heads {} must divide num_attention_heads {}", config.key_value_heads,
                      config.heads));
  require(config.head_dim % 2 == 0,
          fmt::format("head_dim must be even for the rotary embedding, got {}", config.head_dim));
  require(config.rms_epsilon >= 0 && config.rms_epsilon < 1,
          fmt::format("rms_norm_eps must be 0 to 1, got {}", config.rms_epsilon));
  require(config.rope_theta > 0 && config.rope_theta < 1e30,
          fmt::format("rope_theta must be positive, got {}", config.rope_theta));
}

} // namespace linmu::models
