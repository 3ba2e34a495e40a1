#include "models/io/decoder_config.h"
#include "models/io/json_file.h"
#include "models/io/json_integer.h"
#include "tests/unit/models_gguf_fixture.h"

namespace linmu::models {
namespace {

using namespace test::gguf;
using nlohmann::json;
using test::bytesOfValue;
using test::expectError;

const json llama =
    json::parse(R"({"architectures": ["LlamaForCausalLM"], "vocab_size": 100, "hidden_size": 64,
  "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
  "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "silu", "rope_scaling": null})");

TEST(IntegerIn, IntegersOfTheRangeAreTakenAndNothingElse) {
  EXPECT_EQ(integerIn(-3, -3, 3), -3);
  EXPECT_EQ(integerIn(3u, -3, 3), 3);
  EXPECT_EQ(integerIn(INT64_MAX, INT64_MIN, INT64_MAX), INT64_MAX);
  EXPECT_EQ(integerIn(INT64_MIN, INT64_MIN, INT64_MAX), INT64_MIN);
  for (const char *value : {"4", "-4", "8.6e+77", "-8.6e+77", "1.0", "1e0", "9223372036854775808",
                            "18446744073709551615", "\"1\"", "true", "null", "[1]", "{}"})
    EXPECT_EQ(integerIn(json::parse(value), -3, 3), std::nullopt) << value;
  for (const char *value : {"9223372036854775808", "18446744073709551615", "9223372036854775807.0"})
    EXPECT_EQ(integerIn(json::parse(value), INT64_MIN, INT64_MAX), std::nullopt) << value;
  EXPECT_EQ(integersIn({1, 2}, 1, 2), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(integersIn(json::array(), 1, 2), std::vector<std::int64_t>());
  for (const char *value : {"1", "[1, 3]", "[1.0]", "{\"a\": 1}", "null"})
    EXPECT_EQ(integersIn(json::parse(value), 1, 2), std::nullopt) << value;
}

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
  config = read({{"rope_theta", nullptr},
                 {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 7.0}}},
                 {"rope_interleaved", false},
                 {"logits_scaling", 1.0}});
  EXPECT_EQ(config.rope_theta, 7.0);
}

TEST_F(ConfigTest, WhatTheDecoderDoesNotComputeIsUnsupported) {
  auto refuse = [&](const json &changes, std::string_view text) {
    expectError(ErrorCode::unsupported, text, [&] { read(changes); });
  };
  refuse({{"rope_scaling", {{"rope_type", "longrope"}, {"factor", 8.0}}}},
         "'rope_scaling' has the type 'longrope', supported are 'default', 'linear', 'dynamic', 'llama3' and "
         "'yarn'");
  refuse({{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}, {"beta_fast", 3}}}},
         "'rope_scaling' has the key 'beta_fast', which the type 'linear' does not take");
  refuse({{"rope_scaling", {{"type", "default"}, {"factor", 2.0}}}},
         "the key 'factor', which the type 'default'");
  refuse({{"layer_types", {"full_attention", "sliding_attention"}}},
         "'layer_types' has \"sliding_attention\", supported is \"full_attention\"");
  refuse({{"partial_rotary_factor", 0.5}}, "'partial_rotary_factor' is 0.5, supported is 1");
  refuse({{"final_logit_softcapping", 30.0}}, "'final_logit_softcapping' is 30.0, supported is 0");
  refuse({{"query_pre_attn_scalar", 256}}, "'query_pre_attn_scalar' is 256, supported is a model without it");
  refuse({{"rope_interleaved", true}}, "'rope_interleaved' is true, supported is false");
  refuse({{"architectures", {"GPT2LMHeadModel"}}},
         "supported are LlamaForCausalLM, Qwen2ForCausalLM and LinmuForCausalLM");
  refuse({{"architectures", nullptr}}, "'architectures' is null");
  refuse({{"hidden_act", "gelu"}}, "'hidden_act' is 'gelu', supported is 'silu'");
  refuse({{"use_sliding_window", true}}, "'use_sliding_window' is true, supported is false");
  refuse({{"mlp_bias", true}}, "'mlp_bias' is true, supported is false");
  refuse({{"quantization_config", json::object()}},
         "'quantization_config' is given, supported are weights that are not quantised");
}

TEST_F(ConfigTest, ValuesThatDoNotFitAreRefused) {
  auto refuse = [&](const json &changes, std::string_view text) {
    expectError(ErrorCode::corruptFile, text, [&] { read(changes); });
  };
  refuse({{"hidden_size", nullptr}}, "requires the key 'hidden_size'");
  refuse({{"hidden_size", "64"}}, "'hidden_size' must be an integer, got \"64\"");
  refuse({{"hidden_size", 63}},
         "num_attention_heads 4 must divide hidden_size 63 where head_dim is not given");
  refuse({{"num_hidden_layers", 0}}, "num_hidden_layers must be 1 to 16777216, got 0");
  refuse({{"vocab_size", 1ull << 40}}, "vocab_size must be 1 to");
  refuse({{"vocab_size", UINT64_MAX}}, "'vocab_size' must be an integer");
  refuse({{"num_key_value_heads", 3}}, "num_key_value_heads 3 must divide num_attention_heads 4");
  refuse({{"head_dim", 15}}, "head_dim must be even for the rotary embedding, got 15");
  refuse({{"rope_theta", -1}}, "rope_theta must be positive, got -1");
  refuse({{"rms_norm_eps", 2}}, "rms_norm_eps must be 0 to 1, got 2");
  refuse({{"tie_word_embeddings", 1}}, "must be true or false, got 1");
  refuse({{"rope_theta", "big"}}, "'rope_theta' must be a number, got \"big\"");
  refuse({{"rope_scaling", "linear"}}, "'rope_scaling' must be an object, got \"linear\"");
  refuse({{"rope_scaling", {{"type", 3}}}}, "rope_scaling: 'type' must be a string, got 3");
  refuse({{"rope_scaling", {{"factor", 2.0}}}}, "rope_scaling: requires the key 'rope_type' beside 'factor'");
  refuse({{"rope_scaling", {{"type", "linear"}, {"rope_type", "yarn"}, {"factor", 2.0}}}},
         "rope_scaling: 'type' is 'linear', but 'rope_type' is 'yarn'");
  refuse({{"rope_scaling", {{"type", "linear"}}}}, "requires the key 'factor' where the type is 'linear'");
  refuse({{"rope_scaling", {{"type", "linear"}, {"factor", 0}}}},
         "the factor of the rotary scaling must be positive");
  refuse({{"rope_scaling", {{"type", "dynamic"}, {"factor", 0.5}}}},
         "the factor of the dynamic rotary scaling must be 1 or more, got 0.5");
  json llama3 = {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 4}, {"high_freq_factor", 4}};
  refuse({{"rope_scaling", llama3}}, "requires the key 'original_max_position_embeddings'");
  llama3["original_max_position_embeddings"] = 64;
  refuse({{"rope_scaling", llama3}}, "high_freq_factor 4 must be above low_freq_factor 4");
  refuse({{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}},
          {"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}}}},
         "'rope_scaling' and 'rope_parameters' say two things");
  refuse({{"rope_scaling", {{"type", "default"}}},
          {"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}}}},
         "'rope_scaling' and 'rope_parameters' say two things");
  refuse({{"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 7.0}}}},
         "'rope_theta' is 500000, but in 'rope_parameters' it is 7");
  auto path = write("config.json", "{\"vocab_size\": ");
  expectError(ErrorCode::corruptFile, "config.json is not valid JSON: ", [&] { readConfigJson(path); });
  path = write("config.json", "[1]");
  expectError(ErrorCode::corruptFile, "must hold a JSON object, got array", [&] { readConfigJson(path); });
}

class GgufConfigTest : public test::FileTest {
protected:
  DecoderConfig read(const Metadata &changes, const std::string &tensor = "token_embd.weight") const {
    Metadata metadata{{"general.architecture", string("llama")},
                      {"llama.embedding_length", integer(64)},
                      {"llama.feed_forward_length", integer(128)},
                      {"llama.block_count", integer(2)},
                      {"llama.attention.head_count", integer(4)},
                      {"llama.attention.layer_norm_rms_epsilon", type(GgufType::f32) + bytesOfValue(1e-5f)}};
    for (const auto &[key, value] : changes)
      metadata[key] = value;
    return readGgufConfig(GgufFile::open(write("x.gguf", file(metadata, tensor, {64, 5}))));
  }
  void expectRefused(ErrorCode code, const Metadata &changes, std::string_view text) const {
    expectError(code, text, [&] { read(changes); });
  }
};

TEST_F(GgufConfigTest, KeysAndTheirDefaultsAreRead) {
  DecoderConfig config = read({});
  EXPECT_EQ(config.vocab_size, 5);
  EXPECT_EQ(config.key_value_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.rope_theta, 10000.0);
  EXPECT_TRUE(config.tied_embeddings);
}

TEST_F(GgufConfigTest, WhatTheDecoderDoesNotComputeIsUnsupported) {
  constexpr auto unsupported = ErrorCode::unsupported;
  expectRefused(unsupported, {{"general.architecture", string("gemma")}},
                "x.gguf: general.architecture is 'gemma', supported are 'llama' and 'qwen2'");
  expectRefused(unsupported, {{"llama.expert_count", integer(8)}}, "llama.expert_count is 8, supported is 0");
  expectRefused(unsupported, {{"llama.rope.scaling.type", string("longrope")}},
                "llama.rope.scaling.type is 'longrope', supported are 'none', 'linear' and 'yarn'");
  expectRefused(
      unsupported, {{"llama.attention.sliding_window", integer(4)}},
      "the metadata 'llama.attention.sliding_window' is not known, and may change what the model computes");
  expectRefused(unsupported, {{"llama.attention.value_length", integer(8)}},
                "llama.attention.value_length is 8, supported is the key length 16");
  expectRefused(unsupported, {{"llama.rope.dimension_count", integer(8)}},
                "llama.rope.dimension_count is 8, supported is the head size 16");
}

TEST_F(GgufConfigTest, AFactorWithoutATypeIsLinear) {
  std::string two = type(GgufType::f32) + bytesOfValue(2.0f);
  for (const char *key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    RotaryScaling scaling = read({{key, two}}).rope_scaling;
    EXPECT_EQ(scaling.type, RotaryScalingType::linear);
    EXPECT_EQ(scaling.factor, 2.0);
  }
  EXPECT_EQ(
      read({{"llama.rope.scaling.factor", two}, {"llama.rope.scaling.type", string("none")}}).rope_scaling,
      RotaryScaling{});
}

TEST_F(GgufConfigTest, ValuesThatDoNotFitAreRefused) {
  constexpr auto corrupt = ErrorCode::corruptFile;
  expectRefused(corrupt, {{"llama.attention.head_count", integer(3)}},
                "x.gguf: attention.head_count 3 must divide embedding_length 64");
  expectRefused(corrupt, {{"llama.vocab_size", integer(6)}},
                "llama.vocab_size is 6, the embedding has 5 rows");
  expectRefused(corrupt, {{"llama.block_count", integer(0)}}, "num_hidden_layers must be 1 to 16777216");
  expectError(corrupt, "requires the tensor 'token_embd.weight'", [&] { read({}, "other.weight"); });
}

} // namespace
} // namespace linmu::models
