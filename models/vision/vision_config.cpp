#include "models/vision/vision_config.h"
#include "models/io/config_reader.h"

namespace linmu::models {

VisionConfig readVisionConfig(const nlohmann::json &object, const std::string &origin) {
  ConfigReader reader(object, origin);
  VisionConfig config;
  // Far above any encoder, and low enough that no product of two overflows.
  auto size = [&](const char *key, std::int64_t most = 1 << 20) {
    std::int64_t value = reader.integer(key);
    if (value < 1 || value > most)
      reader.corrupt(fmt::format("'{}' must be 1 to {}, got {}", key, most, value));
    return value;
  };
  config.patch_frames = size("temporal_patch_size", 64);
  config.patch_side = size("patch_size", 256);
  config.hidden_size = size("hidden_size");
  config.intermediate_size = size("intermediate_size");
  config.layers = size("num_hidden_layers", 1024);
  config.heads = size("num_attention_heads");
  config.norm_epsilon = reader.number("layer_norm_eps", 1e-6);
  if (config.hidden_size % config.heads != 0)
    reader.corrupt(
        fmt::format("num_attention_heads {} must divide hidden_size {}", config.heads, config.hidden_size));
  if (!(config.norm_epsilon >= 0 && config.norm_epsilon < 1))
    reader.corrupt(fmt::format("layer_norm_eps must be 0 to 1, got {}", config.norm_epsilon));
  if (std::int64_t channels = reader.integer("in_channels", 3); channels != 3)
    reader.unsupported(fmt::format("'in_channels' is {}, supported is 3", channels));
  if (std::string activation = reader.string("hidden_act", "gelu"); activation != "gelu")
    reader.unsupported(fmt::format("'hidden_act' is '{}', supported is 'gelu'", activation));
  return config;
}

nlohmann::json toJson(const VisionConfig &config) {
  return {{"in_channels", 3},
          {"temporal_patch_size", config.patch_frames},
          {"patch_size", config.patch_side},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.layers},
          {"num_attention_heads", config.heads},
          {"hidden_act", "gelu"},
          {"layer_norm_eps", config.norm_epsilon}};
}

} // namespace linmu::models
