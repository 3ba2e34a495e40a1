#include "models/vlm/vlm_config.h"
#include "models/io/config_reader.h"
#include "models/io/json_file.h"

namespace linmu::models {

static void requirePreset(std::string_view name) {
  if (name != "small" && name != "demo")
    throw Error(ErrorCode::invalidArgument,
                fmt::format("a preset of a model is 'small' or 'demo', got '{}'", name));
}

VlmConfig VlmConfig::preset(std::string_view name) {
  requirePreset(name);
  VlmConfig config;
  config.text.query_key_value_bias = true;
  config.text.tied_embeddings = true;
  config.text.head_dim = 32;
  if (name == "small") {
    config.vision = {.patch_frames = 2,
                     .patch_side = 8,
                     .hidden_size = 128,
                     .intermediate_size = 512,
                     .layers = 4,
                     .heads = 4};
    config.text.hidden_size = 192;
    config.text.intermediate_size = 512;
    config.text.layers = 6;
    config.text.heads = 6;
    config.text.key_value_heads = 2;
  } else {
    config.vision = {.patch_frames = 4,
                     .patch_side = 8,
                     .hidden_size = 96,
                     .intermediate_size = 288,
                     .layers = 3,
                     .heads = 3};
    config.text.hidden_size = 128;
    config.text.intermediate_size = 352;
    config.text.layers = 4;
    config.text.heads = 4;
    config.text.key_value_heads = 2;
  }
  return config;
}

PreprocessorConfig presetPreprocessor(std::string_view name) {
  requirePreset(name);
  PreprocessorConfig config;
  config.patch_frames = name == "small" ? 2 : 4;
  config.video_frames = name == "small" ? 32 : 16;
  return config;
}

bool isVisionLanguageModel(const std::filesystem::path &path) {
  if (!std::filesystem::exists(path / "config.json"))
    return false;
  const nlohmann::json object = readJsonObject(path / "config.json");
  return object.contains("architectures") &&
         object["architectures"] == nlohmann::json::array({std::string(vlmArchitecture)});
}

VlmConfig readVlmConfig(const std::filesystem::path &path) {
  const nlohmann::json object = readJsonObject(path);
  ConfigReader reader(object, path.string());
  const nlohmann::json expected = nlohmann::json::array({std::string(vlmArchitecture)});
  if (!reader.has("architectures") || object["architectures"] != expected)
    reader.unsupported(fmt::format("'architectures' is {}, a vision-language model requires {}",
                                   reader.has("architectures") ? object["architectures"].dump() : "missing",
                                   expected.dump()));
  for (const char *key : {"text_config", "vision_config"})
    if (!reader.has(key) || !object[key].is_object())
      reader.corrupt(fmt::format("requires the object '{}'", key));
  VlmConfig config;
  config.text = readConfigJson(object["text_config"], path.string() + ": text_config");
  config.vision = readVisionConfig(object["vision_config"], path.string() + ": vision_config");
  return config;
}

nlohmann::json toJson(const VlmConfig &config) {
  const DecoderConfig &text = config.text;
  if (text.rope_scaling.type != RotaryScalingType::none || !text.rope_scaling.divisors.empty())
    throw Error(ErrorCode::unsupported,
                "a configuration is written without a scaling of its rotary embedding only");
  // Of the two architectures, Qwen2's has biases of query, key and value and none of the output.
  const bool qwen2 = text.query_key_value_bias && !text.output_bias;
  nlohmann::json decoder = {{"architectures", {qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM"}},
                            {"model_type", qwen2 ? "qwen2" : "llama"},
                            {"vocab_size", text.vocab_size},
                            {"hidden_size", text.hidden_size},
                            {"intermediate_size", text.intermediate_size},
                            {"num_hidden_layers", text.layers},
                            {"num_attention_heads", text.heads},
                            {"num_key_value_heads", text.key_value_heads},
                            {"head_dim", text.head_dim},
                            {"hidden_act", "silu"},
                            {"rms_norm_eps", text.rms_epsilon},
                            {"rope_theta", text.rope_theta},
                            {"tie_word_embeddings", text.tied_embeddings}};
  if (!qwen2)
    decoder["attention_bias"] = text.query_key_value_bias;
  return {{"architectures", {vlmArchitecture}},
          {"model_type", "linmu_vlm"},
          {"text_config", decoder},
          {"vision_config", toJson(config.vision)}};
}

} // namespace linmu::models
