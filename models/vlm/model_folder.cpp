#include "models/vlm/model_folder.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/mapped_file.h"
#include "runtime/io/safetensors_writer.h"
#include <ATen/CPUGeneratorImpl.h>
#include <cmath>
#include <fmt/format.h>

namespace linmu::models {

using torch::Tensor;

static std::string readText(const std::filesystem::path &path) {
  MappedFile file(path);
  return {reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size()};
}

ModelFiles readModelFiles(const std::filesystem::path &folder) {
  return {readJsonObject(folder / "config.json"), readJsonObject(folder / "preprocessor_config.json"),
          readText(folder / "tokenizer.json"), readText(folder / "tokenizer_config.json")};
}

std::string chatTokenizerConfig() {
  const nlohmann::ordered_json config = {
      {"tokenizer_class", "PreTrainedTokenizerFast"},
      {"eos_token", "<|im_end|>"},
      {"pad_token", "<|endoftext|>"},
      {"chat_template",
       "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
       "'<|im_end|>' + "
       "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"}};
  return config.dump(2) + "\n";
}

static void writeText(const std::filesystem::path &path, const std::string &text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

static void createFolder(const std::filesystem::path &folder) {
  std::error_code status;
  std::filesystem::create_directories(folder, status);
  if (status)
    throw Error(ErrorCode::io,
                fmt::format("cannot create the folder {}: {}", folder.string(), status.message()));
}

void writeModelFolder(const std::filesystem::path &folder, const ModelFiles &files,
                      const std::map<std::string, Tensor> &tensors, StoredType type) {
  if (type != StoredType::f32 && type != StoredType::bf16)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("weights are written as F32 or BF16, got {}", name(type)));
  torch::NoGradGuard guard;
  createFolder(folder);
  writeText(folder / "config.json", files.config.dump(2) + "\n");
  writeText(folder / "preprocessor_config.json", files.preprocessor.dump(2) + "\n");
  writeText(folder / "tokenizer.json", files.tokenizer);
  writeText(folder / "tokenizer_config.json", files.tokenizer_config);
  std::vector<Tensor> kept; // what the bytes below belong to
  std::vector<TensorToStore> stored;
  for (const auto &[name, tensor] : tensors) {
    const torch::ScalarType element = type == StoredType::f32 ? torch::kFloat32 : torch::kBFloat16;
    const Tensor &copy = kept.emplace_back(tensor.detach().to(torch::kCPU, element).contiguous());
    stored.push_back({name,
                      type,
                      copy.sizes().vec(),
                      {static_cast<const std::byte *>(copy.data_ptr()), std::size_t(copy.nbytes())}});
  }
  writeSafetensors(folder / "model.safetensors", stored, {{"format", "pt"}});
}

std::map<std::string, Tensor> tensorsOf(VisionLanguageModel &model) {
  std::map<std::string, Tensor> tensors;
  model.eachVisionTensor([&](const NamedTensor &entry) { tensors[entry.name] = entry.tensor; });
  Decoder &decoder = model.language.decoder;
  auto add = [&](const NamedWeight &weight) { tensors[weight.name()] = weight.tensor(); };
  decoder.eachWeight(add, [&](std::int64_t index, DecoderLayer &layer) {
    const auto *attention = dynamic_cast<const Attention *>(layer.mixer.get());
    if (!attention)
      throw Error(
          ErrorCode::unsupported,
          fmt::format("layer {}: expected attention, got another mixer, whose tensors have no names", index));
    AttentionWeights weights = attention->weights();
    eachWeight(weights, decoder.config(), index, add);
  });
  return tensors;
}

std::map<std::string, Tensor> randomTensors(const VlmConfig &config, std::uint64_t seed) {
  torch::NoGradGuard guard;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::map<std::string, Tensor> tensors;
  const double vision_residual = 1 / std::sqrt(2.0 * double(config.vision.layers));
  const double text_residual = 1 / std::sqrt(2.0 * double(config.text.layers));
  // Asked for in the order in which a model loads its tensors; what it takes is what it needs.
  WeightReader recorder = WeightReader::fromFunction(
      "random weights", [&](const std::string &name, const std::vector<std::int64_t> &shape) -> Tensor {
        const bool bias = name.ends_with(".bias"), norm = name.find("norm") != std::string::npos;
        Tensor tensor;
        if (bias)
          tensor = torch::zeros(shape);
        else if (norm)
          tensor = torch::ones(shape);
        else {
          double deviation = 1 / std::sqrt(double(shape.back()));
          if (name == "model.embed_tokens.weight" || name == "lm_head.weight")
            deviation = 0.02;
          else if (name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight"))
            deviation *= name.starts_with("vision.") ? vision_residual : text_residual;
          tensor = torch::randn(shape, generator) * deviation;
        }
        return tensors[name] = tensor;
      });
  VisionEncoder::load(config.vision, recorder);
  Projector::load(config.vision.hidden_size, config.text.hidden_size, recorder);
  Decoder::load(config.text, recorder);
  return tensors;
}

void writeNewModel(const std::filesystem::path &folder, VlmConfig config,
                   const PreprocessorConfig &preprocessor, const std::string &tokenizer_json,
                   std::uint64_t seed, StoredType type) {
  if (preprocessor.patch_side != config.vision.patch_side ||
      preprocessor.patch_frames != config.vision.patch_frames)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("patches of the preprocessor are {} x {} x {}, those of the encoder {} x {} x {}",
                            preprocessor.patch_frames, preprocessor.patch_side, preprocessor.patch_side,
                            config.vision.patch_frames, config.vision.patch_side, config.vision.patch_side));
  createFolder(folder);
  writeText(folder / "tokenizer.json", tokenizer_json);
  config.text.vocab_size = (Tokenizer::fromJson(folder / "tokenizer.json").size() + 7) / 8 * 8;
  checkConfig(config.text, "a new model");
  writeModelFolder(folder, {toJson(config), toJson(preprocessor), tokenizer_json, chatTokenizerConfig()},
                   randomTensors(config, seed), type);
}

} // namespace linmu::models
