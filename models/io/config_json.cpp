// DecoderConfig from Hugging Face's config.json.
#include "models/io/config_reader.h"
#include "models/io/decoder_config.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <initializer_list>
#include <string_view>

namespace linmu::models {
namespace {

using nlohmann::json;

/// One of the two objects that say how the rotary embedding is scaled; as in transformers'
/// modeling_rope_utils.py.
class RotaryReader {
public:
  RotaryReader(const ConfigReader &model, const json &object, std::string name, const std::string &origin)
      : model_(model), object_(object), name_(std::move(name)), reader_(object, origin + ": " + name_) {}

  /// `length` is max_position_embeddings.
  RotaryScaling read(double length) const {
    for (const char *key : {"type", "rope_type"})
      if (reader_.has(key) && reader_.string(key, "") != type())
        reader_.corrupt(
            fmt::format("'type' is '{}', but 'rope_type' is '{}'", reader_.string("type", ""), type()));
    RotaryScaling scaling;
    if (type() == "default") {
      allow({});
      return scaling;
    }
    if (type() == "linear") {
      allow({"factor"});
      scaling.type = RotaryScalingType::linear;
    } else if (type() == "dynamic") {
      // transformers reads the original length, and computes with max_position_embeddings.
      allow({"factor", "original_max_position_embeddings"});
      scaling.type = RotaryScalingType::dynamic;
      scaling.original_length = length;
    } else if (type() == "llama3") {
      allow({"factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"});
      scaling.type = RotaryScalingType::llama3;
      scaling.original_length = required("original_max_position_embeddings");
      scaling.low_frequency = required("low_freq_factor");
      scaling.high_frequency = required("high_freq_factor");
    } else if (type() == "yarn") {
      allow({"factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow",
             "mscale", "mscale_all_dim", "truncate"});
      readYarn(scaling, length);
    } else
      model_.unsupported(fmt::format("'{}' has the type '{}', supported are 'default', 'linear', 'dynamic', "
                                     "'llama3' and 'yarn'",
                                     name_, type()));
    scaling.factor = required("factor");
    return scaling;
  }

private:
  std::string type() const {
    for (const char *key : {"rope_type", "type"})
      if (reader_.has(key))
        return reader_.string(key, "");
    for (const auto &[key, value] : object_.items())
      if (key != "rope_theta" && !value.is_null())
        reader_.corrupt(fmt::format("requires the key 'rope_type' beside '{}'", key));
    return "default";
  }
  double required(const char *key) const {
    if (!reader_.has(key))
      reader_.corrupt(fmt::format("requires the key '{}' where the type is '{}'", key, type()));
    return reader_.number(key, 0);
  }
  void allow(std::initializer_list<std::string_view> keys) const {
    for (const auto &[key, value] : object_.items())
      if (key != "type" && key != "rope_type" && key != "rope_theta" && !value.is_null() &&
          std::ranges::find(keys, key) == keys.end())
        model_.unsupported(
            fmt::format("'{}' has the key '{}', which the type '{}' does not take", name_, key, type()));
  }
  /// Zeros count as absent, as they do there.
  void readYarn(RotaryScaling &scaling, double length) const {
    auto orDefault = [&](const char *key, double otherwise) {
      double value = reader_.number(key, 0);
      return value != 0 ? value : otherwise;
    };
    scaling.type = RotaryScalingType::yarn;
    scaling.original_length = orDefault("original_max_position_embeddings", length);
    scaling.beta_fast = orDefault("beta_fast", scaling.beta_fast);
    scaling.beta_slow = orDefault("beta_slow", scaling.beta_slow);
    scaling.truncate = reader_.boolean("truncate", true);
    double factor = required("factor"), weight = orDefault("mscale", 0),
           weight_all = orDefault("mscale_all_dim", 0);
    if (reader_.has("attention_factor"))
      scaling.amplitude = reader_.number("attention_factor", 1);
    else if (weight != 0 && weight_all != 0)
      scaling.amplitude = yarnAmplitude(factor, weight) / yarnAmplitude(factor, weight_all);
    else
      scaling.amplitude = yarnAmplitude(factor);
  }

  const ConfigReader &model_;
  const json &object_;
  std::string name_;
  ConfigReader reader_;
};

/// `rope_scaling` (or, in newer files, `rope_parameters`, which then carries theta as well).
void readRotary(const json &object, const ConfigReader &reader, const std::string &origin, double length,
                DecoderConfig &config) {
  config.rope_theta = reader.number("rope_theta", 10000.0);
  bool theta_given = reader.has("rope_theta");
  for (const char *key : {"rope_scaling", "rope_parameters"}) {
    if (!reader.has(key))
      continue;
    if (!object[key].is_object())
      reader.corrupt(fmt::format("'{}' must be an object, got {}", key, object[key].dump()));
    RotaryScaling scaling = RotaryReader(reader, object[key], key, origin).read(length);
    if (key == std::string_view("rope_parameters") && reader.has("rope_scaling") &&
        config.rope_scaling != scaling)
      reader.corrupt("'rope_scaling' and 'rope_parameters' say two things");
    config.rope_scaling = scaling;
    ConfigReader inner(object[key], origin + ": " + key);
    double theta = inner.number("rope_theta", config.rope_theta);
    // Versions of transformers differ in which of two they take.
    if (theta_given && theta != config.rope_theta)
      reader.corrupt(fmt::format("'rope_theta' is {}, but in '{}' it is {}", config.rope_theta, key, theta));
    theta_given |= inner.has("rope_theta");
    config.rope_theta = theta;
  }
  // Where the key is missing it is 10000; transformers computes nothing with a null.
  if (!theta_given && object.contains("rope_theta"))
    reader.corrupt("'rope_theta' must be a number, got null");
}

/// Refuses keys by which models of the same layout compute something else, unless they have the value that
/// changes nothing. Of other keys transformers' classes of these architectures take no notice either.
void refuseOtherModels(const json &object, const ConfigReader &reader) {
  struct Neutral {
    const char *key;
    json value;
  };
  static const Neutral neutral[] = {{"attn_logit_softcapping", 0},
                                    {"final_logit_softcapping", 0},
                                    {"query_pre_attn_scalar", nullptr},
                                    {"clip_qkv", nullptr},
                                    {"embedding_multiplier", 1},
                                    {"residual_multiplier", 1},
                                    {"attention_multiplier", nullptr},
                                    {"logits_scaling", 1},
                                    {"logit_scale", 1},
                                    {"scale_emb", 1},
                                    {"qk_norm", false},
                                    {"use_qk_norm", false},
                                    {"qk_layernorm", false},
                                    {"rope_interleaved", false},
                                    {"no_rope_layers", nullptr},
                                    {"use_mrope", false},
                                    {"num_experts", 0},
                                    {"num_local_experts", 0},
                                    {"alibi", false},
                                    {"is_causal", true},
                                    {"use_bidirectional_attention", false},
                                    {"use_parallel_residual", false},
                                    {"attention_chunk_size", nullptr},
                                    {"scale_depth", nullptr},
                                    {"dim_model_base", nullptr},
                                    {"partial_rotary_factor", 1}};
  for (const auto &[key, value] : neutral)
    if (reader.has(key) && object[key] != value)
      reader.unsupported(fmt::format("'{}' is {}, supported is {}", key, object[key].dump(),
                                     value.is_null() ? "a model without it" : value.dump()));
}

} // namespace

DecoderConfig readConfigJson(const std::filesystem::path &path) {
  return readConfigJson(readJsonObject(path), path.string());
}

DecoderConfig readConfigJson(const json &object, const std::string &origin) {
  ConfigReader reader(object, origin);

  std::string architecture;
  if (reader.has("architectures") && object["architectures"].is_array() &&
      object["architectures"].size() == 1 && object["architectures"][0].is_string())
    architecture = object["architectures"][0].get<std::string>();
  bool qwen2 = architecture == "Qwen2ForCausalLM", linmu = architecture == "LinmuForCausalLM";
  if (!qwen2 && !linmu && architecture != "LlamaForCausalLM")
    reader.unsupported(
        fmt::format("'architectures' is {}, supported are LlamaForCausalLM, Qwen2ForCausalLM and "
                    "LinmuForCausalLM",
                    object.contains("architectures") ? object["architectures"].dump() : "missing"));
  if (std::string activation = reader.string("hidden_act", "silu"); activation != "silu")
    reader.unsupported(fmt::format("'hidden_act' is '{}', supported is 'silu'", activation));
  if (reader.boolean("use_sliding_window", false))
    reader.unsupported("'use_sliding_window' is true, supported is false");
  if (reader.has("layer_types"))
    for (const json &type : object["layer_types"])
      if (type != "full_attention")
        reader.unsupported(fmt::format("'layer_types' has {}, supported is \"full_attention\"", type.dump()));
  if (reader.boolean("mlp_bias", false))
    reader.unsupported("'mlp_bias' is true, supported is false");
  refuseOtherModels(object, reader);
  if (reader.has("quantization_config"))
    reader.unsupported("'quantization_config' is given, supported are weights that are not quantised");

  DecoderConfig config;
  config.vocab_size = reader.integer("vocab_size");
  config.hidden_size = reader.integer("hidden_size");
  config.intermediate_size = reader.integer("intermediate_size");
  config.layers = reader.integer("num_hidden_layers");
  config.heads = reader.integer("num_attention_heads");
  config.key_value_heads = reader.integer("num_key_value_heads", config.heads);
  if (reader.has("head_dim"))
    config.head_dim = reader.integer("head_dim");
  else if (config.heads > 0 && config.hidden_size % config.heads == 0)
    config.head_dim = config.hidden_size / config.heads;
  else
    reader.corrupt(
        fmt::format("num_attention_heads {} must divide hidden_size {} where head_dim is not given",
                    config.heads, config.hidden_size));
  config.rms_epsilon = reader.number("rms_norm_eps", 1e-6);
  config.tied_embeddings = reader.boolean("tie_word_embeddings", false);
  config.query_key_value_bias = qwen2 || reader.boolean("attention_bias", false);
  config.output_bias = !qwen2 && config.query_key_value_bias;
  if (linmu) {
    config.mmate = true;
    config.output_bias = reader.boolean("attention_output_bias", false);
  }
  readRotary(object, reader, origin, reader.number("max_position_embeddings", qwen2 ? 32768 : 2048), config);
  checkConfig(config, origin);
  return config;
}

} // namespace linmu::models
