#include "models/kernels/tensor_view.h"
#include "models/mmate/convert.h"
#include "models/mmate/mmate.h"
#include "tests/unit/expect_error.h"
#include <ATen/autocast_mode.h>

namespace linmu::models {
namespace {

using test::expectError;

AttentionWeights attention() {
  torch::manual_seed(1);
  AttentionWeights weights;
  weights.heads = 4;
  weights.key_value_heads = 2;
  weights.head_dim = 16;
  weights.query = torch::randn({64, 48});
  weights.key = torch::randn({32, 48});
  weights.value = torch::randn({32, 48});
  weights.output = torch::randn({48, 64});
  weights.rotary = std::make_shared<Rotary>(16, 1e4);
  return weights;
}

MMate block(const MMateConfig &config) {
  return MMate(reuseWeights(attention(), 48, 0), config, 0, std::make_shared<MMateShared>(4, 2, 16));
}

void forward(MMate &block, const SequenceLayout &layout) {
  auto state = block.initialState(1);
  block.forward({torch::randn({1, layout.tokens, 48}), torch::arange(layout.tokens), layout}, *state);
}

TEST(MMateConfig, PresetsAreReadBackFromTheirJson) {
  for (const char *name : {"paper", "safe"}) {
    MMateConfig config = MMateConfig::preset(name);
    EXPECT_EQ(MMateConfig::fromJson(config.toJson()), config) << name;
    EXPECT_EQ(MMateConfig::fromJson("{\"preset\": \"" + std::string(name) + "\"}"), config);
  }
  EXPECT_NE(MMateConfig::preset("paper"), MMateConfig::preset("safe"));
  EXPECT_EQ(MMateConfig::fromJson("{}"), MMateConfig::preset("safe"));
}

TEST(MMateConfig, AKeyOverridesThePresetWhicheverComesFirst) {
  MMateConfig expected = MMateConfig::preset("paper");
  expected.join_wrapped = false;
  EXPECT_EQ(MMateConfig::fromJson(R"({"join_wrapped": false, "preset": "paper"})"), expected);
  EXPECT_EQ(MMateConfig::fromJson(R"({"preset": "paper", "join_wrapped": false})"), expected);
}

TEST(MMateConfig, WhatDoesNotExistIsRefusedByName) {
  auto refused = [](const char *text, std::initializer_list<std::string> parts) {
    expectError(ErrorCode::invalidArgument, parts, [&] { MMateConfig::fromJson(text); });
  };
  refused("[1]", {"M-MATE configuration: expected a JSON object, got '[1]'"});
  refused("{\"scan_norm\": ", {"expected a JSON object"});
  refused(R"({"preset": "best"})", {"M-MATE preset: expected 'paper' or 'safe', got 'best'"});
  refused(R"({"preset": 1})", {"'paper' or 'safe'", "1"});
  refused(R"({"scan_nrom": true})", {"no key 'scan_nrom'"});
  refused(R"({"scan_norm": "yes"})", {"'scan_norm'", "true or false", "\"yes\""});
  refused(R"({"reverse_scope": "item"})",
          {R"(M-MATE key 'reverse_scope': expected "sequence" or "segment", got "item")"});
  refused(R"({"reverse_target": true})",
          {R"(M-MATE key 'reverse_target': expected "all" or "vision", got true)"});
  refused(R"({"video_window": [16, 4]})", {"'video_window'", "3 whole numbers", "[16,4]"});
  refused(R"({"image_window": [8, 0]})", {"'image_window'", "2 whole numbers from 1 to 65536", "[8,0]"});
  refused(R"({"image_window": [65536, 65536]})",
          {"'image_window'", "a product of at most 2147483647", "[65536,65536]"});
  refused(R"({"image_window": "8x8"})", {"'image_window'", "2 whole numbers", "\"8x8\""});
  refused(R"({"norm_epsilon": 0})", {"'norm_epsilon'", "a positive number", "0"});
}

TEST(MMate, AnItemOutsideTheSequenceIsRefused) {
  MMate mixer = block(MMateConfig::preset("safe"));
  expectError(ErrorCode::invalidArgument,
              {"media item 1: expected a grid inside the 10 tokens of the call, got 2x2x2 from token 4"},
              [&] { forward(mixer, {10, {{0, 1, 2, 2}, {4, 2, 2, 2}}}); });
  expectError(ErrorCode::invalidArgument, {"media item 0", "0x2x2"},
              [&] { forward(mixer, {10, {{0, 0, 2, 2}}}); });
}

TEST(MMate, ItemsThatOverlapAreRefused) {
  MMate mixer = block(MMateConfig::preset("safe"));
  expectError(ErrorCode::invalidArgument,
              {"media item 1: expected tokens of its own, got some that an earlier item has"},
              [&] { forward(mixer, {10, {{0, 1, 2, 2}, {3, 1, 2, 2}}}); });
}

TEST(MMate, HiddenOfAnotherSizeAndForeignStatesAreRefused) {
  MMate mixer = block(MMateConfig::preset("safe"));
  SequenceLayout layout{5, {}};
  auto state = mixer.initialState(1);
  expectError(ErrorCode::invalidArgument, {"hidden: expected shape [B, 5, 48], got 200 elements in 3 axes"},
              [&] { mixer.forward({torch::randn({1, 5, 40}), torch::arange(5), layout}, *state); });
  expectError(ErrorCode::invalidArgument, {"hidden", "[B, 5, 48]"},
              [&] { mixer.forward({torch::randn({1, 6, 48}), torch::arange(6), layout}, *state); });
  KeyValueCache foreign;
  expectError(ErrorCode::invalidArgument, {"state", "another mixer"},
              [&] { mixer.forward({torch::randn({1, 5, 48}), torch::arange(5), layout}, foreign); });
}

TEST(MMate, AShortConvolutionRequiresItsFourWeights) {
  MMateConfig config = MMateConfig::preset("safe");
  config.short_convolution = true;
  MMateWeights weights = reuseWeights(attention(), 48, 0);
  weights.convolution[0].pop_back();
  expectError(ErrorCode::invalidArgument,
              {"M-MATE with short_convolution: expected 4 weights of the convolution, got 3"},
              [&] { MMate(weights, config, 0, std::make_shared<MMateShared>(4, 2, 16)); });
}

TEST(MMate, WhereProductsAreBf16TokensOfKernelsAreToo) {
  MMateConfig config = MMateConfig::preset("safe");
  config.short_convolution = true;
  const auto shared = std::make_shared<MMateShared>(4, 2, 16);
  const MMate mixer(reuseWeights(attention(), 48, 0), config, 0, shared);
  const SequenceLayout layout{100, {{5, 4, 4, 4}, {80, 1, 4, 4}}};
  torch::manual_seed(2);
  // Small, as scores of a softmax that chooses one key make of roundings what they like.
  const torch::Tensor hidden = 0.1 * torch::randn({2, 100, 48}), weight = torch::randn({2, 100, 48});
  auto run = [&](bool bf16) {
    std::map<std::string, torch::ScalarType> types;
    shared->kernels.observe(
        [&](const KernelCall &call) { types[call.function] = call.inputs[0].scalar_type(); });
    at::autocast::set_autocast_enabled(at::kCPU, bf16);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    torch::Tensor input = hidden.clone().requires_grad_();
    torch::Tensor output =
        mixer.forwardWithGradients({input, torch::arange(100), layout}).to(torch::kFloat32);
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
    shared->kernels.observe({});
    (output * weight).sum().backward();
    EXPECT_EQ(types.size(), 4u) << "convolution, flex and two kinds of windows";
    for (const auto &[function, type] : types)
      EXPECT_EQ(type, bf16 ? torch::kBFloat16 : torch::kFloat32) << function;
    return std::pair(output.detach(), input.grad());
  };
  const auto [exact, exact_gradient] = run(false);
  const auto [rounded, rounded_gradient] = run(true);
  auto error = [](const torch::Tensor &a, const torch::Tensor &b) {
    return ((a - b).norm() / b.norm()).item<double>();
  };
  EXPECT_LT(error(rounded, exact), 2e-2);
  EXPECT_LT(error(rounded_gradient, exact_gradient), 3e-2);
  EXPECT_GT(error(rounded, exact), 1e-4);
}

TEST(TensorView, TensorsThatNoKernelTakesAreNamed) {
  expectError(ErrorCode::invalidArgument,
              {"operand 'x': expected elements of type f32, bf16, f16, i32 or bool, got Double"},
              [] { toView(torch::zeros({2}, torch::kFloat64), "x"); });
  expectError(
      ErrorCode::invalidArgument,
      {"operand 'x': expected a tensor on the CPU or a CUDA device of at most 6 axes, got one on cpu with 7"},
      [] { toView(torch::zeros({1, 1, 1, 1, 1, 1, 1}), "x"); });
  expectError(ErrorCode::invalidArgument, {"got one on meta with 1"},
              [] { toView(torch::zeros({1}, torch::kMeta), "x"); });
}

TEST(MMate, CalibrationSetsTheScanNormAndRefusesAnotherShape) {
  MMate mixer = block(MMateConfig::preset("safe"));
  torch::Tensor rms = torch::rand({4, 16}) + 0.5;
  mixer.calibrate(rms);
  EXPECT_TRUE(torch::equal(mixer.weights().scan_norm, rms));
  expectError(ErrorCode::invalidArgument, {"channel_rms: expected shape [4, 16], got 32 elements"},
              [&] { mixer.calibrate(torch::ones({2, 16})); });
}

TEST(MMate, AClonedStateIsIndependent) {
  MMate mixer = block(MMateConfig::preset("safe"));
  SequenceLayout layout{3, {}};
  torch::Tensor hidden = torch::randn({1, 3, 48});
  auto state = mixer.initialState(1);
  auto untouched = state->clone();
  torch::Tensor first = mixer.forward({hidden, torch::arange(3), layout}, *state);
  torch::Tensor second = mixer.forward({hidden, torch::arange(3), layout}, *state);
  EXPECT_FALSE(torch::allclose(first, second));
  EXPECT_TRUE(torch::equal(first, mixer.forward({hidden, torch::arange(3), layout}, *untouched)));
}

} // namespace
} // namespace linmu::models
