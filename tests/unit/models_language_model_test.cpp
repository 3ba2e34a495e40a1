// Whole checkpoints in folders.
#include "models/generate/generate.h"
#include "models/generate/language_model.h"
#include "tests/unit/models_decoder_fixture.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace linmu::models {
namespace {

using nlohmann::json;
using test::expectError;

const DecoderConfig config{.vocab_size = 3,
                           .hidden_size = 16,
                           .intermediate_size = 8,
                           .layers = 1,
                           .heads = 2,
                           .key_value_heads = 1,
                           .head_dim = 8,
                           .query_key_value_bias = true};

class LanguageModelTest : public test::DecoderFileTest {
protected:
  void SetUp() override {
    DecoderFileTest::SetUp();
    load(config); // which writes the weights
    write("config.json", json({{"architectures", {"Qwen2ForCausalLM"}},
                               {"vocab_size", 3},
                               {"hidden_size", 16},
                               {"intermediate_size", 8},
                               {"num_hidden_layers", 1},
                               {"num_attention_heads", 2},
                               {"num_key_value_heads", 1}})
                             .dump());
    writeTokenizer({{"a", 0}, {"b", 1}, {"c", 2}});
  }
  void writeTokenizer(const json &vocabulary) const {
    json merges = json::array();
    write("tokenizer.json", json({{"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}},
                                  {"added_tokens", {{{"id", 1}, {"content", "b"}, {"special", true}}}},
                                  {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}}})
                                .dump());
  }
  void expectRefused(ErrorCode code, std::string_view text) const {
    expectError(code, text, [&] { LanguageModel::open(folder_); });
  }
};

TEST_F(LanguageModelTest, AFolderIsOpened) {
  LanguageModel model = LanguageModel::open(folder_);
  EXPECT_EQ(model.tokenizer.encode("cab"), (std::vector<std::int64_t>{2, 0, 1}));
}

TEST_F(LanguageModelTest, EveryEndThatTheFilesNameEndsATurn) {
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(LanguageModel::open(folder_).stop_tokens, Ids{});
  write("generation_config.json", R"({"eos_token_id": [2, 0]})");
  EXPECT_EQ(LanguageModel::open(folder_).stop_tokens, (Ids{2, 0}));
  write("generation_config.json", R"({"eos_token_id": 2})");
  for (const char *token : {R"("b")", R"({"content": "b"})"}) {
    write("tokenizer_config.json", R"({"eos_token": )" + std::string(token) + "}");
    EXPECT_EQ(LanguageModel::open(folder_).stop_tokens, (Ids{2, 1}));
  }
  write("tokenizer_config.json", R"({"eos_token": null})");
  EXPECT_EQ(LanguageModel::open(folder_).stop_tokens, (Ids{2}));
  write("tokenizer_config.json", R"({"eos_token": 3})");
  expectRefused(ErrorCode::corruptFile,
                "tokenizer_config.json: 'eos_token' must be a string or an object with a 'content', got 3");
}

TEST_F(LanguageModelTest, ControlTokensOfAPromptAreTextUnlessAskedFor) {
  using Ids = std::vector<std::int64_t>;
  // "b" is the control token 2 and, as text, has no token at all.
  writeTokenizer({{"a", 0}, {"c", 1}});
  LanguageModel model = LanguageModel::open(folder_);
  EXPECT_EQ(encodePrompt(model, "cab", true), (Ids{1, 0}));
  EXPECT_EQ(encodePrompt(model, "cab", true, true), (Ids{1, 0, 2}));
  model.chat_template_text =
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
      "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% "
      "endif %}";
  EXPECT_EQ(encodePrompt(model, "cab", false), (Ids{0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(encodePrompt(model, "cab", false, true), (Ids{0, 1, 0, 2, 0, 0, 0}));
}

TEST_F(LanguageModelTest, AModelWithoutAChatTemplateSaysWhatToDo) {
  LanguageModel model = LanguageModel::open(folder_);
  expectError(ErrorCode::unsupported,
              folder_.string() + " has no chat template\ngive the whole text yourself with --raw --special",
              [&] { model.chatTemplate(); });
}

TEST_F(LanguageModelTest, NothingToContinueAndLessThanNoTokensAreRefused) {
  LanguageModel model = LanguageModel::open(folder_);
  std::vector<std::int64_t> none, one{0};
  expectError(ErrorCode::invalidArgument, "the prompt must have at least one token, got none",
              [&] { generate(model, none, {}); });
  expectError(ErrorCode::invalidArgument, "the number of tokens to generate must be 0 or more, got -1",
              [&] { generate(model, one, {.max_tokens = -1}); });
}

TEST_F(LanguageModelTest, FilesThatDoNotFitEachOtherAreRefused) {
  expectError(ErrorCode::io, "no such file or folder: ", [&] { LanguageModel::open(folder_ / "none"); });
  write("generation_config.json", R"({"eos_token_id": [2, "</s>"]})");
  expectRefused(ErrorCode::corruptFile,
                "generation_config.json: 'eos_token_id' must be an integer or a list of "
                R"(integers from 0 to 16777216, got [2,"</s>"])");
  for (const char *id : {"8.6e+77", "-1", "2.0", "18446744073709551615"}) {
    write("generation_config.json", fmt::format(R"({{"eos_token_id": {}}})", id));
    expectRefused(ErrorCode::corruptFile, "integers from 0 to 16777216, got " + std::string(id));
  }
  write("generation_config.json", "{}");
  writeTokenizer({{"a", 0}, {"b", 3}});
  expectRefused(ErrorCode::corruptFile, "the tokenizer has 4 tokens, the embedding has 3 rows");
}

} // namespace
} // namespace linmu::models
