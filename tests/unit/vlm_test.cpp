// Folders of vision-language models, and what they compute that no transcription is needed for
// (tests/python/test_vlm.py has one).
#include "distill/data/generated_set.h"
#include "models/vlm/model_folder.h"
#include "models/vlm/vision_conversation.h"
#include "runtime/io/safetensors_file.h"
#include "tests/unit/data_fixture.h"
#include "tests/unit/expect_error.h"

namespace linmu::models {
namespace {

using test::expectError;

class Vlm : public testing::Test {
protected:
  void SetUp() override { test::writeTinyVlm(folder.path()); }
  nlohmann::json read(const char *file) const {
    return nlohmann::json::parse(test::readBytes(folder / file));
  }
  void write(const char *file, const nlohmann::json &object) const {
    test::writeBytes(folder / file, object.dump());
  }
  void refuse(ErrorCode code, std::initializer_list<std::string> parts) const {
    expectError(code, parts, [&] { VisionLanguageModel::open(folder.path()); });
  }
  test::TemporaryFolder folder;
};

std::int64_t parametersOf(const char *preset) {
  VlmConfig config = VlmConfig::preset(preset);
  config.text.vocab_size = 416;
  std::int64_t count = 0;
  for (const auto &[name, tensor] : randomTensors(config, 0))
    count += tensor.numel();
  return count;
}

TEST_F(Vlm, PresetsHaveTheParametersAndTokensThatTheyPromise) {
  const std::int64_t small = parametersOf("small"), demo = parametersOf("demo");
  EXPECT_GT(small, 3000000);
  EXPECT_LE(small, 5000000);
  EXPECT_GT(demo, 1000000);
  EXPECT_LE(demo, 1500000);
  for (const auto &[preset, tokens] : {std::pair("small", 1024), std::pair("demo", 256)}) {
    const PreprocessorConfig config = presetPreprocessor(preset);
    media::Frames video{.count = int(config.video_frames), .size = config.video_size, .rgb = {}};
    video.rgb.resize(video.bytesPerFrame() * std::size_t(video.count));
    EXPECT_EQ(config.patchesOf(video).pixels.size(0), tokens);
    EXPECT_EQ(config.patch_side, VlmConfig::preset(preset).vision.patch_side);
    EXPECT_EQ(config.patch_frames, VlmConfig::preset(preset).vision.patch_frames);
  }
  expectError(ErrorCode::invalidArgument, {"'large'"}, [] { VlmConfig::preset("large"); });
}

TEST_F(Vlm, AFolderIsWrittenAsItWasRead) {
  VisionLanguageModel model = VisionLanguageModel::open(folder.path());
  EXPECT_EQ(model.preprocessor, test::tinyPreprocessor());
  EXPECT_EQ(model.config.vision, test::tinyVlm().vision);
  test::TemporaryFolder copy;
  writeModelFolder(copy.path(), readModelFiles(folder.path()), tensorsOf(model));
  for (const char *file : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                           "preprocessor_config.json"})
    EXPECT_EQ(test::readBytes(copy / file), test::readBytes(folder / file)) << file;

  writeModelFolder(copy.path(), readModelFiles(folder.path()), tensorsOf(model), StoredType::bf16);
  VisionLanguageModel rounded = VisionLanguageModel::open(copy.path());
  const auto before = tensorsOf(model), after = tensorsOf(rounded);
  ASSERT_EQ(before.size(), after.size());
  for (const auto &[name, tensor] : before)
    EXPECT_TRUE(torch::equal(tensor.to(torch::kBFloat16).to(torch::kFloat32), after.at(name))) << name;
}

TEST_F(Vlm, WeightsFollowFromTheSeed) {
  test::TemporaryFolder same, other;
  test::writeTinyVlm(same.path());
  test::writeTinyVlm(other.path(), 4);
  EXPECT_EQ(test::readBytes(same / "model.safetensors"), test::readBytes(folder / "model.safetensors"));
  EXPECT_NE(test::readBytes(other / "model.safetensors"), test::readBytes(folder / "model.safetensors"));
}

TEST_F(Vlm, WhatIsWrongInAFolderIsNamed) {
  const nlohmann::json config = read("config.json"), preprocessor = read("preprocessor_config.json");
  auto changed = [](nlohmann::json object, const char *pointer, nlohmann::json value) {
    object[nlohmann::json::json_pointer(pointer)] = std::move(value);
    return object;
  };
  write("config.json", changed(config, "/architectures", {"LlavaForConditionalGeneration"}));
  refuse(ErrorCode::unsupported,
         {"config.json", "LlavaForConditionalGeneration", "LinMUVisionLanguageModel"});
  write("config.json", changed(config, "/text_config/hidden_act", "relu"));
  refuse(ErrorCode::unsupported, {"config.json: text_config", "'relu'"});
  write("config.json", changed(config, "/vision_config", 3));
  refuse(ErrorCode::corruptFile, {"config.json", "the object 'vision_config'"});
  write("config.json", changed(config, "/vision_config/num_attention_heads", 5));
  refuse(ErrorCode::corruptFile, {"vision_config", "num_attention_heads 5 must divide hidden_size 24"});
  write("config.json", changed(config, "/vision_config/num_hidden_layers", 3));
  refuse(ErrorCode::corruptFile, {"requires the tensor 'vision.layers.2.attention_norm.weight'"});
  write("config.json", changed(config, "/vision_config/num_hidden_layers", 1));
  refuse(ErrorCode::corruptFile, {"tensors that the model does not have", "vision.layers.1"});
  write("config.json", config);

  write("preprocessor_config.json", changed(preprocessor, "/patch_size", 16));
  refuse(ErrorCode::corruptFile, {"preprocessor_config.json", "2 x 16 x 16", "2 x 8 x 8"});
  write("preprocessor_config.json", changed(preprocessor, "/image_size/width", 33));
  refuse(ErrorCode::corruptFile, {"'image_size'", "multiples of the patch_size 8", "33"});
  write("preprocessor_config.json", changed(preprocessor, "/image_size/width", 8.6e77));
  refuse(ErrorCode::corruptFile, {"'image_size'", "multiples of the patch_size 8", "8.6e+77"});
  write("preprocessor_config.json", changed(preprocessor, "/image_std", {0.5, 0.5, 0}));
  refuse(ErrorCode::corruptFile, {"'image_std' must be positive"});
  write("preprocessor_config.json", changed(preprocessor, "/num_frames", 7));
  refuse(ErrorCode::corruptFile, {"'num_frames' must be a multiple", "7"});
  write("preprocessor_config.json", preprocessor);

  nlohmann::json tokenizer = read("tokenizer.json");
  for (auto &token : tokenizer["added_tokens"])
    if (token["content"] == "<|video_pad|>")
      token["content"] = "<|other|>";
  write("tokenizer.json", tokenizer);
  refuse(ErrorCode::corruptFile, {"requires the token <|video_pad|>"});
  expectError(ErrorCode::io, {"no such folder"}, [&] { VisionLanguageModel::open(folder / "none"); });
  std::filesystem::remove(folder / "preprocessor_config.json");
  refuse(ErrorCode::io, {"preprocessor_config.json"});
}

TEST_F(Vlm, EmbeddingsAreTokensWithMediaInTheirPlaces) {
  VisionLanguageModel model = VisionLanguageModel::open(folder.path());
  const MediaItem video{2, 2, 2, 1}, picture{9, 1, 1, 2};
  const torch::Tensor ids = torch::arange(24).view({2, 12});
  const torch::Tensor patches[] = {torch::randn({2, 4, 384}), torch::randn({2, 2, 384})};
  const MediaItem media[] = {video, picture};
  torch::Tensor embeddings = model.embed(ids, patches, media);
  EXPECT_EQ(embeddings.sizes(), (std::vector<std::int64_t>{2, 12, 32}));
  EXPECT_TRUE(torch::equal(embeddings.narrow(1, 2, 4), model.visionTokens(patches[0], video)));
  EXPECT_TRUE(torch::equal(embeddings.narrow(1, 9, 2), model.visionTokens(patches[1], picture)));
  const torch::Tensor text = model.language.decoder.embed(ids);
  for (std::int64_t place : {0, 1, 6, 7, 8, 11})
    EXPECT_TRUE(torch::equal(embeddings.select(1, place), text.select(1, place))) << place;

  const MediaItem late{9, 2, 2, 1};
  expectError(ErrorCode::invalidArgument, {"media item 0 of 2 x 2 x 1 tokens at 9", "of 12"},
              [&] { model.embed(ids, std::span(patches, 1), std::span(&late, 1)); });
  expectError(ErrorCode::invalidArgument, {"patches of 2 media items", "got 1"},
              [&] { model.embed(ids, std::span(patches, 1), media); });
  expectError(ErrorCode::invalidArgument, {"patches must be [B, 2 x 2 x 1, 384]"},
              [&] { model.embed(ids, std::span(patches + 1, 1), std::span(media, 1)); });
}

TEST_F(Vlm, ATimeStepDoesNotSeeAnother) {
  VisionLanguageModel model = VisionLanguageModel::open(folder.path());
  torch::Tensor patches = torch::randn({1, 3 * 4, 384}), changed = patches.clone();
  changed.narrow(1, 4, 4) += 1;
  const torch::Tensor difference =
      (model.encoder.forward(patches, 3, 2, 2) - model.encoder.forward(changed, 3, 2, 2)).abs().amax({0, 2});
  EXPECT_EQ(difference.narrow(0, 0, 4).max().item<float>(), 0.0f);
  EXPECT_GT(difference.narrow(0, 4, 4).min().item<float>(), 0.0f);
  EXPECT_EQ(difference.narrow(0, 8, 4).max().item<float>(), 0.0f);
}

TEST_F(Vlm, AnAnswerIsWhatTheDecoderSaysAfterTheConversation) {
  VisionLanguageModel model = VisionLanguageModel::open(folder.path());
  distill::SampleEncoder encoder(model);
  distill::GeneratedSet set("moving-shapes", 1, distill::Split::train, 1, {.side = 32, .frames = 16},
                            encoder);
  const distill::Sample prompt = set.question(0).prompt;
  GenerateOptions options;
  options.max_tokens = 4;
  const Generation answer = model.answer({prompt.ids, {}, prompt.media}, prompt.patches, options);
  EXPECT_EQ(answer.prompt_tokens, std::int64_t(prompt.ids.size()));
  // The same, token by token, from the whole sequence each time.
  std::vector<std::int64_t> ids = prompt.ids, said;
  const torch::Tensor patches[] = {prompt.patches[0].unsqueeze(0)};
  while (said.size() < 4) {
    torch::Tensor embeddings = model.embed(torch::tensor(ids).unsqueeze(0), patches, prompt.media);
    DecoderState state = model.language.decoder.initialState();
    const auto next =
        model.language.decoder.forwardEmbeddings(embeddings, {std::int64_t(ids.size()), prompt.media}, state)
            .argmax()
            .item<std::int64_t>();
    if (std::ranges::count(model.language.stop_tokens, next))
      break;
    said.push_back(next);
    ids.push_back(next);
  }
  EXPECT_EQ(answer.ids, said);
}

TEST_F(Vlm, AConversationPrefillsEachTurnOnce) {
  VisionLanguageModel model = VisionLanguageModel::open(folder.path());
  auto seen = [](VisionPart::Kind kind, std::int64_t t) {
    return VisionPart{.kind = kind, .text = "", .t = t, .h = 2, .w = 2};
  };
  const std::vector<VisionPart> first = {seen(VisionPart::Kind::video, 3), {.text = "what is red?"}};
  const std::vector<VisionPart> second = {
      {.text = "and "}, seen(VisionPart::Kind::picture, 1), {.text = "here?"}};
  torch::manual_seed(1);
  const std::vector<torch::Tensor> patches = {torch::randn({12, 384}), torch::randn({4, 384})};
  GenerateOptions options;
  options.max_tokens = 3;
  VisionConversation conversation(model, "be short");
  const Generation one = conversation.say(first, std::span(patches).first(1), options);
  const std::int64_t before = conversation.tokens();
  const Generation two = conversation.say(second, std::span(patches).last(1), options);

  const auto &tokenizer = model.language.tokenizer;
  const ChatTemplate chat = model.language.chatTemplate();
  ChatTokens whole =
      encodeVisionChat(tokenizer, chat, model.special,
                       std::vector<VisionMessage>{{"system", {{.text = "be short"}}}, {"user", first}}, true);
  EXPECT_EQ(one.prompt_tokens, std::int64_t(whole.ids.size()));
  EXPECT_EQ(one.ids, model.answer(whole, std::span(patches).first(1), options).ids);
  whole.ids.insert(whole.ids.end(), one.ids.begin(), one.ids.end());
  ChatTokens next = encodeVisionFollowUp(tokenizer, chat, model.special, second);
  next.media.front().first_token += std::int64_t(whole.ids.size());
  whole.ids.insert(whole.ids.end(), next.ids.begin(), next.ids.end());
  whole.media.push_back(next.media.front());
  EXPECT_EQ(two.ids, model.answer(whole, patches, options).ids);
  EXPECT_EQ(before + two.prompt_tokens, std::int64_t(whole.ids.size()));
  expectError(ErrorCode::invalidArgument, {"patches of 1 media items", "got 0"},
              [&] { VisionConversation(model).say(first, {}, options); });
}

} // namespace
} // namespace linmu::models
