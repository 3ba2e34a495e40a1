#include "models/api/model.h"
#include "distill/data/media_file.h"
#include "models/decoder/threads.h"
#include "models/vlm/vision_language_model.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <optional>

namespace linmu::models {

/// One of the two.
struct Model::State {
  std::optional<LanguageModel> language;
  std::optional<VisionLanguageModel> vision;
};

namespace {

torch::DeviceType deviceNamed(const std::string &name) {
  if (name == "cpu")
    return torch::kCPU;
  if (name != "cuda")
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the device of a model must be 'cpu' or 'cuda', got '{}'", name));
  if (!torch::cuda::is_available())
    throw Error(ErrorCode::unsupported, "device 'cuda': torch finds no GPU here",
                "device 'cpu' runs anywhere");
  return torch::kCUDA;
}

std::optional<WeightForm> weightForm(const std::string &name) {
  if (name.empty())
    return std::nullopt;
  if (name == "packed")
    return WeightForm::packed;
  if (name == "f32")
    return WeightForm::f32;
  throw Error(ErrorCode::invalidArgument,
              fmt::format("the weights of a model are 'packed' or 'f32', got '{}'", name));
}

std::string textOf(const LanguageModel &model, const Message &message) {
  std::string text;
  for (const Content &content : message.contents) {
    if (content.kind != Content::Kind::text)
      throw Error(ErrorCode::unsupported,
                  model.origin + " is a model of text, which takes no pictures and no videos",
                  "load the folder of a vision-language model");
    text += std::get<std::string>(content.value);
  }
  return text;
}

media::Frames framesOf(const Content &content, const PreprocessorConfig &config) {
  if (const auto *frames = std::get_if<media::Frames>(&content.value))
    return *frames;
  const auto &path = std::get<std::filesystem::path>(content.value);
  return content.kind == Content::Kind::video ? distill::loadVideo(path, config)
                                              : distill::loadPicture(path, config);
}

} // namespace

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model &&) noexcept = default;
Model &Model::operator=(Model &&) noexcept = default;
Model::~Model() = default;

Model Model::load(const std::filesystem::path &path, const LoadOptions &options) {
  withoutThreadsAfterFork();
  const torch::DeviceType device = deviceNamed(options.device);
  const std::optional<WeightForm> form = weightForm(options.weights);
  auto state = std::make_unique<State>();
  if (!isVisionLanguageModel(path)) {
    state->language = LanguageModel::open(path, form);
    state->language->decoder.moveTo(device);
  } else if (form) {
    throw Error(ErrorCode::unsupported,
                path.string() + " is a vision-language model, whose weights are f32 and cannot be chosen",
                "leave weights out");
  } else {
    state->vision = VisionLanguageModel::open(path);
    state->vision->moveTo(device);
  }
  return Model(std::move(state));
}

bool Model::sees() const { return state_->vision.has_value(); }

Generation Model::generate(std::span<const Message> messages, const GenerateOptions &options,
                           const TextCallback &onText) const {
  withoutThreadsAfterFork();
  checkOptions(options);
  if (const auto &language = state_->language) {
    std::vector<ChatMessage> chat;
    for (const Message &message : messages)
      chat.push_back({message.role, textOf(*language, message)});
    return models::generate(*language, encodeChat(*language, chat), options, onText);
  }
  const VisionLanguageModel &model = *state_->vision;
  std::vector<VisionMessage> chat;
  std::vector<torch::Tensor> patches;
  for (const Message &message : messages) {
    chat.push_back({message.role, {}});
    for (const Content &content : message.contents) {
      VisionPart &part = chat.back().parts.emplace_back();
      if (content.kind == Content::Kind::text)
        part.text = std::get<std::string>(content.value);
      else
        part = model.see(content.kind == Content::Kind::video ? VisionPart::Kind::video
                                                              : VisionPart::Kind::picture,
                         framesOf(content, model.preprocessor), patches);
    }
  }
  const ChatTokens tokens = encodeVisionChat(model.language.tokenizer, model.language.chatTemplate(),
                                             model.special, chat, /*add_generation_prompt=*/true);
  return model.answer(tokens, patches, options, onText);
}

} // namespace linmu::models
