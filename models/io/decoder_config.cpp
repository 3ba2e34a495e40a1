#include "models/io/decoder_config.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {
namespace {

// Far above any model, and low enough that no product of two sizes overflows.
constexpr std::int64_t maxSize = 1 << 24;

/// `require(holds, message)` of each value that the formulas divide by or take a logarithm of.
void checkScaling(const DecoderConfig &config, const auto &require) {
  const RotaryScaling &scaling = config.rope_scaling;
  bool dynamic = scaling.type == RotaryScalingType::dynamic,
       llama3 = scaling.type == RotaryScalingType::llama3, yarn = scaling.type == RotaryScalingType::yarn;
  auto inRange = [&](bool matters, const char *field, double value) {
    require(!matters || (value > 0 && value < 1e12),
            fmt::format("{} of the rotary scaling must be positive, got {}", field, value));
  };
  inRange(true, "the factor", scaling.factor);
  require(!dynamic || scaling.factor >= 1,
          fmt::format("the factor of the dynamic rotary scaling must be 1 or more, got {}", scaling.factor));
  require(!dynamic || config.head_dim > 2, "dynamic rotary scaling requires a head_dim above 2");
  inRange(dynamic || llama3 || yarn, "the original length", scaling.original_length);
  inRange(llama3, "low_freq_factor", scaling.low_frequency);
  inRange(llama3, "high_freq_factor", scaling.high_frequency);
  require(!llama3 || scaling.low_frequency < scaling.high_frequency,
          fmt::format("high_freq_factor {} must be above low_freq_factor {}", scaling.high_frequency,
                      scaling.low_frequency));
  inRange(yarn, "beta_fast", scaling.beta_fast);
  inRange(yarn, "beta_slow", scaling.beta_slow);
  require(!yarn || config.rope_theta > 1,
          fmt::format("yarn requires a rope_theta above 1, got {}", config.rope_theta));
  inRange(true, "the attention factor", scaling.amplitude);
  require(scaling.divisors.empty() ||
              static_cast<std::int64_t>(scaling.divisors.size()) == config.head_dim / 2,
          fmt::format("the rotary embedding has {} divisors of frequencies, half of head_dim {} is required",
                      scaling.divisors.size(), config.head_dim));
  for (float divisor : scaling.divisors)
    inRange(true, "a divisor", divisor);
}

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
  checkScaling(config, require);
}

} // namespace linmu::models
