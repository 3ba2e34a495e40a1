// DecoderConfig from Hugging Face's config.json.
#include "models/io/decoder_config.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>

namespace linmu::models {
namespace {

using nlohmann::json;

class ConfigReader {
public:
  ConfigReader(const json &object, std::string origin) : object_(object), origin_(std::move(origin)) {}

  bool has(const char *key) const { return object_.contains(key) && !object_[key].is_null(); }

  std::int64_t integer(const char *key) const {
    if (!has(key))
      corrupt(fmt::format("requires the key '{}'", key));
    return integer(key, 0);
  }
  std::int64_t integer(const char *key, std::int64_t otherwise) const {
    if (!has(key))
      return otherwise;
    const json &value = object_[key];
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
      corrupt(fmt::format("'{}' must be an integer, got {}", key, object_[key].dump()));
    return object_[key].get<std::int64_t>();
  }
  double number(const char *key, double otherwise) const {
    if (!has(key))
      return otherwise;
    if (!object_[key].is_number())
      corrupt(fmt::format("'{}' must be a number, got {}", key, object_[key].dump()));
    return object_[key].get<double>();
  }
  bool boolean(const char *key, bool otherwise) const {
    if (!has(key))
      return otherwise;
    if (!object_[key].is_boolean())
      corrupt(fmt::format("'{}' must be true or false, got {}", key, object_[key].dump()));
    return object_[key].get<bool>();
  }
  std::string string(const char *key, const char *otherwise) const {
    if (!has(key))
      return otherwise;
    if (!object_[key].is_string())
      corrupt(fmt::format("'{}' must be a string, got {}", key, object_[key].dump()));
    return object_[key].get<std::string>();
  }
  [[noreturn]] void corrupt(const std::string &message) const {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin_, message));
  }
  [[noreturn]] void unsupported(const std::string &message) const {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", origin_, message));
  }

private:
  const json &object_;
  std::string origin_;
};

/// `rope_scaling` (or, in newer files, `rope_parameters`, which then carries theta as well).
void readRotary(const json &object, const ConfigReader &reader, const std::string &origin,
                DecoderConfig &config) {
  config.rope_theta = reader.number("rope_theta", 10000.0);
  for (const char *key : {"rope_scaling", "rope_parameters"}) {
    if (!reader.has(key))
      continue;
    if (!object[key].is_object())
      reader.corrupt(fmt::format("'{}' must be an object, got {}", key, object[key].dump()));
    ConfigReader rotary(object[key], origin + ": " + key);
    std::string type = rotary.string("rope_type", rotary.string("type", "default").c_str());
    if (type != "default")
      reader.unsupported(fmt::format("'{}' has the type '{}', supported is 'default'", key, type));
    config.rope_theta = rotary.number("rope_theta", config.rope_theta);
  }
  if (double partial = reader.number("partial_rotary_factor", 1.0); partial != 1.0)
    reader.unsupported(fmt::format("'partial_rotary_factor' is {}, supported is 1", partial));
}

} // namespace

DecoderConfig readConfigJson(const std::filesystem::path &path) {
  json object = readJsonObject(path);
  ConfigReader reader(object, path.string());

  std::string architecture;
  if (reader.has("architectures") && object["architectures"].is_array() &&
      object["architectures"].size() == 1 && object["architectures"][0].is_string())
    architecture = object["architectures"][0].get<std::string>();
  bool qwen2 = architecture == "Qwen2ForCausalLM";
  if (!qwen2 && architecture != "LlamaForCausalLM")
    reader.unsupported(
        fmt::format("'architectures' is {}, supported are LlamaForCausalLM and Qwen2ForCausalLM",
                    object.contains("architectures") ? object["architectures"].dump() : "missing"));
  if (std::string activation = reader.string("hidden_act", "silu"); activation != "silu")
    reader.unsupported(fmt::format("'hidden_act' is '{}', supported is 'silu'", activation));
  if (reader.boolean("use_sliding_window", false))
    reader.unsupported("'use_sliding_window' is true, supported is false");
  if (reader.boolean("mlp_bias", false))
    reader.unsupported("'mlp_bias' is true, supported is false");
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
  readRotary(object, reader, path.string(), config);
  checkConfig(config, path.string());
  return config;
}

} // namespace linmu::models
