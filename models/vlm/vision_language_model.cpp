#include "models/vlm/vision_language_model.h"
#include "models/io/json_file.h"
#include "models/vlm/media_embedding.h"
#include "runtime/core/error.h"
#include <chrono>
#include <fmt/format.h>

namespace linmu::models {

using torch::Tensor;

VisionLanguageModel VisionLanguageModel::open(const std::filesystem::path &folder) {
  if (!std::filesystem::is_directory(folder))
    throw Error(ErrorCode::io, fmt::format("no such folder of a model: {}", folder.string()));
  VlmConfig config = readVlmConfig(folder / "config.json");
  PreprocessorConfig preprocessor =
      readPreprocessorConfig(folder / "preprocessor_config.json", config.vision);
  Tokenizer tokenizer = Tokenizer::fromJson(folder / "tokenizer.json");
  VisionTokenIds special = VisionTokenIds::of(tokenizer, folder.string());
  WeightReader weights = WeightReader::fromSafetensors(folder);
  VisionEncoder encoder = VisionEncoder::load(config.vision, weights);
  Projector projector = Projector::load(config.vision.hidden_size, config.text.hidden_size, weights);
  // Last: it refuses tensors that nobody took.
  const nlohmann::json text = readJsonObject(folder / "config.json")["text_config"];
  const std::string origin = (folder / "config.json").string() + ": text_config";
  Decoder decoder = loadDecoder(text, origin, config.text, weights);
  LanguageModel language = LanguageModel::fromFolder(folder, std::move(tokenizer), std::move(decoder));
  return {std::move(config),  preprocessor,         std::move(language),
          std::move(encoder), std::move(projector), special};
}

void VisionLanguageModel::eachVisionTensor(const TensorVisitor &visit) {
  encoder.eachTensor(visit);
  projector.eachTensor(visit);
}

void VisionLanguageModel::moveTo(torch::Device device) {
  language.decoder.moveTo(device);
  eachVisionTensor([&](const NamedTensor &entry) { entry.tensor = entry.tensor.to(device); });
}

Tensor VisionLanguageModel::visionTokens(const Tensor &patches, const MediaItem &grid) const {
  return projector.forward(encoder.forward(patches, grid.t, grid.h, grid.w));
}

VisionPart VisionLanguageModel::see(VisionPart::Kind kind, const media::Frames &frames,
                                    std::vector<Tensor> &patches) const {
  Patches seen = preprocessor.patchesOf(frames);
  patches.push_back(std::move(seen.pixels));
  return {kind, "", seen.t, seen.h, seen.w};
}

Tensor VisionLanguageModel::embed(const Tensor &ids, std::span<const Tensor> patches,
                                  std::span<const MediaItem> media) const {
  const Tensor text = language.decoder.embed(ids);
  std::vector<Tensor> values;
  for (const Tensor &item : patches)
    values.push_back(preprocessor.valuesOf(item.to(text.device())));
  return embedMedia(text, encoder, projector, values, media);
}

Generation VisionLanguageModel::answer(const ChatTokens &conversation, std::span<const Tensor> patches,
                                       const GenerateOptions &options, const TextCallback &onText) const {
  DecoderState state = language.decoder.initialState();
  return answerAfter(state, conversation, patches, options, onText);
}

Generation VisionLanguageModel::answerAfter(DecoderState &state, const ChatTokens &conversation,
                                            std::span<const Tensor> patches, const GenerateOptions &options,
                                            const TextCallback &onText) const {
  c10::InferenceMode inference;
  checkOptions(options);
  const auto begin = std::chrono::steady_clock::now();
  Tensor ids = torch::tensor(conversation.ids, torch::kInt64).unsqueeze(0);
  std::vector<Tensor> batched;
  for (const Tensor &item : patches)
    batched.push_back(item.unsqueeze(0));
  SequenceLayout layout{ids.size(1), conversation.media};
  Tensor logits = language.decoder.forwardEmbeddings(embed(ids, batched, conversation.media), layout, state);
  const double prefill = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  Generation result = continueFrom(language, logits, state, options, onText);
  result.prompt_tokens = ids.size(1);
  result.prefill_seconds = prefill;
  return result;
}

} // namespace linmu::models
