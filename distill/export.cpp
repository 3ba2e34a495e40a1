#include "distill/export.h"
#include "distill/decoder_parameters.h"
#include "distill/tensor_file.h"
#include "models/io/json_file.h"
#include "models/mmate/mmate.h"
#include "models/text/tokenizer_export.h"
#include "runtime/core/error.h"
#include "runtime/core/version.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/atomic_folder.h"
#include <fmt/format.h>

namespace linmu::distill {

namespace fs = std::filesystem;
using models::DecoderConfig;
using models::RotaryScaling;
using models::RotaryScalingType;
using nlohmann::ordered_json;

namespace {

void writeText(const fs::path &path, const std::string &text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

/// Sets `rope_scaling` and, for a scaling that depends on it, the length that it is counted from.
void addScaling(ordered_json &json, const RotaryScaling &scaling) {
  if (!scaling.divisors.empty())
    throw Error(ErrorCode::unsupported,
                "the teacher's rotary embedding has divisors of frequencies "
                "(rope_freqs.weight), which config.json has no key for",
                "take the teacher's folder in Hugging Face's layout instead of its GGUF file");
  ordered_json rope;
  switch (scaling.type) {
  case RotaryScalingType::none:
    return;
  case RotaryScalingType::linear:
    rope = {{"rope_type", "linear"}, {"factor", scaling.factor}};
    break;
  case RotaryScalingType::dynamic:
    rope = {{"rope_type", "dynamic"}, {"factor", scaling.factor}};
    json["max_position_embeddings"] = scaling.original_length;
    break;
  case RotaryScalingType::llama3:
    rope = {{"rope_type", "llama3"},
            {"factor", scaling.factor},
            {"original_max_position_embeddings", scaling.original_length},
            {"low_freq_factor", scaling.low_frequency},
            {"high_freq_factor", scaling.high_frequency}};
    break;
  case RotaryScalingType::yarn:
    rope = {{"rope_type", "yarn"},
            {"factor", scaling.factor},
            {"original_max_position_embeddings", scaling.original_length},
            {"attention_factor", scaling.amplitude},
            {"beta_fast", scaling.beta_fast},
            {"beta_slow", scaling.beta_slow},
            {"truncate", scaling.truncate}};
    break;
  }
  json["rope_scaling"] = rope;
}

/// By the names that Decoder::load and loadMMateDecoder take.
NamedTensors tensorsOf(const models::Decoder &decoder) {
  NamedTensors tensors;
  eachParameter(decoder, [&](const Parameter &entry) { tensors[entry.name] = entry.tensor.detach(); });
  return tensors;
}

const models::MMateConfig &mixerOf(const models::Decoder &student) {
  return static_cast<models::MMate &>(*student.layers().front().mixer).config();
}

void writeTokenizer(const fs::path &folder, const fs::path &origin) {
  if (fs::is_directory(origin)) {
    for (const char *name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                             "chat_template.jinja", "generation_config.json"})
      if (fs::exists(origin / name))
        fs::copy_file(origin / name, folder / name);
    return;
  }
  models::GgufFile file = models::GgufFile::open(origin);
  writeText(folder / "tokenizer.json", models::tokenizerJson(file).dump() + "\n");
  if (file.has("tokenizer.chat_template"))
    writeText(folder / "chat_template.jinja", std::string(file.string("tokenizer.chat_template")));
}

std::string readme(const ModelFacts &facts, const models::Decoder &model, bool vision) {
  std::string what = fmt::format("A {}decoder ", vision ? "vision encoder and a " : "");
  if (isLinear(model))
    what +=
        fmt::format("in which M-MATE, of linear complexity, stands in place of attention in all {} layers",
                    model.layers().size());
  else
    what += fmt::format("with attention in {} layers", model.layers().size());
  return fmt::format("# A {} model\n\n"
                     "{},\n"
                     "{} {} by `linmu {}` {} (stages {}; {} steps). config.json has {}\n"
                     "the recipe under `{}`.\n\n"
                     "    linmu {} . \"...\"{}\n",
                     isLinear(model) ? "LinMU" : "vision-language", what,
                     facts.distilled ? "distilled from" : "trained from", facts.teacher,
                     facts.distilled ? "distill" : "train", version(), facts.stages, facts.steps,
                     isLinear(model) ? "M-MATE's\nconfiguration under `linmu` and" : "", facts.key(),
                     vision ? "answer" : "generate", vision ? " --video FILE" : "");
}

/// The config.json of a vision-language model around that of its decoder.
ordered_json aroundDecoder(ordered_json decoder, const models::VisionLanguageModel &vision) {
  return {{"architectures", {models::vlmArchitecture}},
          {"model_type", "linmu_vlm"},
          {"text_config", std::move(decoder)},
          {"vision_config", models::toJson(vision.config.vision)}};
}

/// Of a model with M-MATE; one with attention has that of the folder that it comes from.
ordered_json linearConfig(const models::Decoder &model, const models::VisionLanguageModel *vision) {
  DecoderConfig config = model.config();
  config.mmate = true;
  ordered_json json = configJson(config);
  json["linmu"] = ordered_json::parse(mixerOf(model).toJson());
  return vision ? aroundDecoder(std::move(json), *vision) : json;
}

} // namespace

ordered_json configJson(const DecoderConfig &config) {
  ordered_json json = {{"architectures", {config.mmate ? "LinmuForCausalLM" : "LlamaForCausalLM"}},
                       {"model_type", config.mmate ? "linmu" : "llama"},
                       {"hidden_act", "silu"},
                       {"vocab_size", config.vocab_size},
                       {"hidden_size", config.hidden_size},
                       {"intermediate_size", config.intermediate_size},
                       {"num_hidden_layers", config.layers},
                       {"num_attention_heads", config.heads},
                       {"num_key_value_heads", config.key_value_heads},
                       {"head_dim", config.head_dim},
                       {"rms_norm_eps", config.rms_epsilon},
                       {"rope_theta", config.rope_theta},
                       {"tie_word_embeddings", config.tied_embeddings},
                       {"attention_bias", config.query_key_value_bias}};
  if (config.mmate)
    json["attention_output_bias"] = config.output_bias;
  addScaling(json, config.rope_scaling);
  return json;
}

void exportModel(const fs::path &folder, const models::Decoder &model, const fs::path &origin,
                 const ModelFacts &facts, const models::VisionLanguageModel *vision) {
  NamedTensors tensors = tensorsOf(model);
  if (vision) {
    auto add = [&](const models::NamedTensor &entry) { tensors[entry.name] = entry.tensor.detach(); };
    models::VisionEncoder(vision->encoder).eachTensor(add);
    models::Projector(vision->projector).eachTensor(add);
  }
  ordered_json json = isLinear(model) ? linearConfig(model, vision)
                                      : ordered_json(models::readJsonObject(origin / "config.json"));
  if (!facts.stop_tokens.empty())
    json["eos_token_id"] = facts.stop_tokens;
  json[facts.key()] = {{facts.distilled ? "teacher" : "model", facts.teacher},
                       {"stages", facts.stages},
                       {"steps", facts.steps},
                       {"linmu", version()},
                       {"recipe", facts.recipe}};
  AtomicFolder made(folder);
  try {
    writeText(made.path() / "config.json", json.dump(2) + "\n");
    writeTensors(made.path() / "model.safetensors", tensors, {{"format", "pt"}});
    writeTokenizer(made.path(), origin);
    if (vision)
      writeText(made.path() / "preprocessor_config.json",
                models::toJson(vision->preprocessor).dump(2) + "\n");
    writeText(made.path() / "README.md", readme(facts, model, vision != nullptr));
  } catch (const fs::filesystem_error &error) {
    throw Error(ErrorCode::io, fmt::format("cannot write {}: {}", folder.string(), error.code().message()));
  }
  made.commit();
}

} // namespace linmu::distill
