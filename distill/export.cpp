#include "distill/export.h"
#include "distill/tensor_file.h"
#include "models/mmate/mmate_tensors.h"
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

/// The tensors by the names that loadMMateDecoder() takes.
NamedTensors tensorsOf(const models::Decoder &student) {
  NamedTensors tensors;
  tensors["model.embed_tokens.weight"] = student.embedding();
  tensors["model.norm.weight"] = student.norm();
  if (!student.head().is_same(student.embedding()))
    tensors["lm_head.weight"] = student.head();
  for (std::size_t i = 0; i < student.layers().size(); ++i) {
    const models::DecoderLayer &layer = student.layers()[i];
    auto *block = dynamic_cast<models::MMate *>(layer.mixer.get());
    if (!block)
      throw Error(ErrorCode::unsupported,
                  "export as LinMU: expected M-MATE in every layer, got another mixer");
    std::string prefix = fmt::format("model.layers.{}.", i);
    tensors[prefix + "input_layernorm.weight"] = layer.mixer_norm;
    tensors[prefix + "post_attention_layernorm.weight"] = layer.mlp_norm;
    tensors[prefix + "mlp.gate_proj.weight"] = layer.gate;
    tensors[prefix + "mlp.up_proj.weight"] = layer.up;
    tensors[prefix + "mlp.down_proj.weight"] = layer.down;
    models::MMateWeights weights = block->weights();
    models::eachTensor(weights, student.config(), block->config(), [&](const models::MMateTensor &entry) {
      tensors[models::mmatePrefix(std::int64_t(i)) + entry.name] = entry.tensor;
    });
  }
  return tensors;
}

const models::MMateConfig &mixerOf(const models::Decoder &student) {
  return static_cast<models::MMate &>(*student.layers().front().mixer).config();
}

void writeTokenizer(const fs::path &folder, const fs::path &teacher) {
  if (fs::is_directory(teacher)) {
    for (const char *name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                             "chat_template.jinja", "generation_config.json"})
      if (fs::exists(teacher / name))
        fs::copy_file(teacher / name, folder / name);
    return;
  }
  models::GgufFile file = models::GgufFile::open(teacher);
  writeText(folder / "tokenizer.json", models::tokenizerJson(file).dump() + "\n");
  if (file.has("tokenizer.chat_template"))
    writeText(folder / "chat_template.jinja", std::string(file.string("tokenizer.chat_template")));
}

std::string readme(const ModelFacts &facts, const models::Decoder &student, bool vision) {
  return fmt::format(
      "# A LinMU model\n\n"
      "A {}decoder in which M-MATE, of linear complexity, stands in place of attention in all {} layers,\n"
      "distilled from {} by `linmu distill` {} (stages {}; {} steps). config.json has M-MATE's\n"
      "configuration under `linmu` and the recipe under `linmu_distillation`.\n\n"
      "    linmu {} . \"...\"{}\n",
      vision ? "vision encoder and a " : "", student.layers().size(), facts.teacher, version(), facts.stages,
      facts.steps, vision ? "answer" : "generate", vision ? " --video FILE" : "");
}

/// The config.json of a vision-language model around that of its decoder.
ordered_json aroundDecoder(ordered_json decoder, const models::VisionLanguageModel &vision) {
  return {{"architectures", {models::vlmArchitecture}},
          {"model_type", "linmu_vlm"},
          {"text_config", std::move(decoder)},
          {"vision_config", models::toJson(vision.config.vision)}};
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

void exportStudent(const fs::path &folder, const models::Decoder &student, const fs::path &teacher,
                   const ModelFacts &facts, const models::VisionLanguageModel *vision) {
  NamedTensors tensors = tensorsOf(student);
  DecoderConfig config = student.config();
  config.mmate = true;
  ordered_json json = configJson(config);
  json["linmu"] = ordered_json::parse(mixerOf(student).toJson());
  if (vision) {
    json = aroundDecoder(std::move(json), *vision);
    auto add = [&](const models::NamedTensor &entry) { tensors[entry.name] = entry.tensor.detach(); };
    models::VisionEncoder(vision->encoder).eachTensor(add);
    models::Projector(vision->projector).eachTensor(add);
  }
  if (!facts.stop_tokens.empty())
    json["eos_token_id"] = facts.stop_tokens;
  json["linmu_distillation"] = {{"teacher", facts.teacher},
                                {"stages", facts.stages},
                                {"steps", facts.steps},
                                {"linmu", version()},
                                {"recipe", facts.recipe}};
  AtomicFolder made(folder);
  try {
    writeText(made.path() / "config.json", json.dump(2) + "\n");
    writeTensors(made.path() / "model.safetensors", tensors, {{"format", "pt"}});
    writeTokenizer(made.path(), teacher);
    if (vision)
      writeText(made.path() / "preprocessor_config.json",
                models::toJson(vision->preprocessor).dump(2) + "\n");
    writeText(made.path() / "README.md", readme(facts, student, vision != nullptr));
  } catch (const fs::filesystem_error &error) {
    throw Error(ErrorCode::io, fmt::format("cannot write {}: {}", folder.string(), error.code().message()));
  }
  made.commit();
}

} // namespace linmu::distill
