#include "models/io/decoder_config.h"
#include "models/io/json_file.h"
#include "tests/unit/models_file_fixture.h"

namespace linmu::models {
namespace {

using nlohmann::json;
using test::expectError;

const json llama =
    json::parse(R"({"architectures": ["LlamaForCausalLM"], "vocab_size": 100, "hidden_size": 64,
  "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
  "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "silu", "rope_scaling": null})");

class ConfigTest : public test::FileTest {
protected:
  DecoderConfig read(const json &changes) const {
    json object = llama;
    object.update(changes);
    return readConfigJson(write("config.json", object.dump()));
  }
};

TEST_F(ConfigTest, KeysAndTheirDefaultsAreRead) {
  DecoderConfig config = read(json::object());
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.key_value_heads, 2);
  EXPECT_EQ(config.rope_theta, 500000.0);
  EXPECT_EQ(config.rms_epsilon, 1e-5);
  EXPECT_FALSE(config.tied_embeddings || config.query_key_value_bias || config.output_bias);
  config = read({{"attention_bias", true}, {"tie_word_embeddings", true}, {"head_dim", 20}});
  EXPECT_TRUE(config.tied_embeddings && config.query_key_value_bias && config.output_bias);
  EXPECT_EQ(config.head_dim, 20);
  config = read({{"architectures", {"Qwen2ForCausalLM"}}});
  EXPECT_TRUE(config.query_key_value_bias && !config.output_bias);
  config = read({{"rope_scaling", {{"type", "default"}}}, {"num_key_value_heads", nullptr}});
  EXPECT_EQ(config.key_value_heads, 4);
  config = read({{"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 7.0}}}});
  EXPECT_EQ(config.rope_theta, 7.0);
}

TEST_F(ConfigTest, WhatTheDecoderDoesNotComputeIsUnsupported) {
  auto refuse = [&](const json &changes, std::string_view text) {
    expectError(ErrorCode::unsupported, text, [&] { read(changes); });
  };
  refuse({{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}}},
         "'rope_scaling' has the type 'llama3', supported is 'default'");
  refuse({{"rope_scaling", {{"type", "linear"}}}}, "type 'linear'");
  refuse({{"partial_rotary_factor", 0.5}}, "'partial_rotary_factor' is 0.5");
  refuse({{"architectures", {"GPT2LMHeadModel"}}}, "supported are LlamaForCausalLM and Qwen2ForCausalLM");
  refuse({{"architectures", nullptr}}, "'architectures' is null");
  refuse({{"hidden_act", "gelu"}}, "'hidden_act' is 'gelu'");
  refuse({{"use_sliding_window", true}}, "'use_sliding_window'");
  refuse({{"mlp_bias", true}}, "'mlp_bias'");
  refuse({{"quantization_config", json::object()}}, "'quantization_config'");
}

TEST_F(ConfigTest, ValuesThatDoNotFitAreRefused) {
  auto refuse = [&](const json &changes, std::string_view text) {
    expectError(ErrorCode::corruptFile, text, [&] { read(changes); });
  };
  refuse({{"hidden_size", nullptr}}, "requires the key 'hidden_size'");
  refuse({{"hidden_size", "64"}}, "'hidden_size' must be an integer");
  refuse({{"hidden_size", 63}}, "num_attention_heads 4 must divide hidden_size 63");
  refuse({{"num_hidden_layers", 0}}, "num_hidden_layers must be 1 to 16777216, got 0");
  refuse({{"vocab_size", 1ull << 40}}, "vocab_size must be 1 to");
  refuse({{"vocab_size", UINT64_MAX}}, "'vocab_size' must be an integer");
  refuse({{"num_key_value_heads", 3}}, "num_key_value_heads 3 must divide num_attention_heads 4");
  refuse({{"head_dim", 15}}, "head_dim must be even");
  refuse({{"rope_theta", -1}}, "rope_theta must be positive");
  refuse({{"rms_norm_eps", 2}}, "rms_norm_eps must be 0 to 1");
  refuse({{"tie_word_embeddings", 1}}, "must be true or false, got 1");
  auto path = write("config.json", "{\"vocab_size\": ");
  expectError(ErrorCode::corruptFile, "is not valid JSON", [&] { readConfigJson(path); });
  path = write("config.json", "[1]");
  expectError(ErrorCode::corruptFile, "must hold a JSON object, got array", [&] { readConfigJson(path); });
}

} // namespace
} // namespace linmu::models
