// A teacher of a few thousand random weights with a tokenizer of letters, data for it, and recipes.
#pragma once
#include "distill/distillation.h"
#include "models/decoder/threads.h"
#include "tests/unit/models_decoder_fixture.h"
#include <nlohmann/json.hpp>

namespace linmu::test {

class DistillTest : public DecoderFileTest {
protected:
  static constexpr std::int64_t letters = 16;

  void SetUp() override {
    DecoderFileTest::SetUp();
    models::setTorchThreads(1); // more than enough
    models::DecoderConfig config{.vocab_size = letters + 2,
                                 .hidden_size = 16,
                                 .intermediate_size = 24,
                                 .layers = 2,
                                 .heads = 2,
                                 .key_value_heads = 1,
                                 .head_dim = 8,
                                 .query_key_value_bias = true};
    load(config); // which writes the weights
    nlohmann::json vocabulary;
    for (std::int64_t i = 0; i < letters; ++i)
      vocabulary[std::string(1, char('a' + i))] = i;
    vocabulary["<end>"] = letters;
    write("config.json", nlohmann::json({{"architectures", {"Qwen2ForCausalLM"}},
                                         {"vocab_size", config.vocab_size},
                                         {"hidden_size", config.hidden_size},
                                         {"intermediate_size", config.intermediate_size},
                                         {"num_hidden_layers", config.layers},
                                         {"num_attention_heads", config.heads},
                                         {"num_key_value_heads", config.key_value_heads},
                                         {"eos_token_id", letters}})
                             .dump());
    write("tokenizer.json",
          nlohmann::json(
              {{"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}},
               {"added_tokens", {{{"id", letters}, {"content", "<end>"}, {"special", true}}}},
               {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}}})
              .dump());
    write("data.jsonl", data(24, 1));
    write("validation.jsonl", data(8, 2));
  }

  /// Lines of random letters.
  static std::string data(int lines, unsigned seed) {
    std::string text;
    auto word = [&](unsigned length) {
      std::string letters_of_word;
      for (unsigned i = 0; i < length; ++i) {
        seed = seed * 1664525 + 1013904223;
        letters_of_word += char('a' + (seed >> 16) % letters);
      }
      return letters_of_word;
    };
    for (int i = 0; i < lines; ++i)
      text += nlohmann::json({{"prompt", word(5 + unsigned(i) % 4)}, {"answer", word(2 + unsigned(i) % 3)}})
                  .dump() +
              "\n";
    return text;
  }

  /// Three stages of `steps` each, two micro-batches a step, a checkpoint every other step.
  nlohmann::json recipe(const std::string &out, int steps) const {
    nlohmann::json stages = nlohmann::json::array();
    for (const char *stage : {"1", "2", "3"})
      stages.push_back({{"stage", stage}, {"steps", steps}, {"learning_rate", 3e-3}, {"warmup", 1}});
    return {{"teacher", "."},
            {"out", out},
            {"seed", 3},
            {"data", {{"path", "data.jsonl"}}},
            {"validation", {{"path", "validation.jsonl"}, {"batches", 2}}},
            {"batch", 4},
            {"accumulate", 2},
            {"checkpoints", {{"every", 2}}},
            {"adapters", {{"rank", 2}, {"alpha", 4}}},
            {"decode_tokens", 3},
            {"stages", stages}};
  }
  distill::Recipe parsed(const nlohmann::json &recipe) const {
    return distill::Recipe::parse(recipe, "recipe.json", folder_);
  }

  static std::string bytesOf(const std::filesystem::path &path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

} // namespace linmu::test
