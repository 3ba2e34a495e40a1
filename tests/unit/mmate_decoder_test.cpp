// A whole decoder with M-MATE in every layer: decoding continues a prefill, at a cost that does not grow.
#include "models/mmate/convert.h"
#include "quiet_moment.h"
#include "tests/unit/models_decoder_fixture.h"

namespace linmu::models {
namespace {

const DecoderConfig config{.vocab_size = 50,
                           .hidden_size = 48,
                           .intermediate_size = 64,
                           .layers = 5, // all four orders, and both shifts
                           .heads = 4,
                           .key_value_heads = 2,
                           .head_dim = 16,
                           .query_key_value_bias = true};

class ConvertedDecoder : public test::DecoderFileTest, public testing::WithParamInterface<const char *> {
protected:
  Decoder converted() const {
    MMateConfig mixer = MMateConfig::preset(GetParam());
    mixer.short_convolution = true; // its tails are state as well
    return convertToMMate(load(config), mixer, 3);
  }
};

/// Text, a video that is ragged in each axis, text, an image, text.
SequenceLayout mixed(std::int64_t tokens) { return {tokens, {{5, 18, 5, 6}, {550, 1, 10, 9}}}; }

double worst(const torch::Tensor &actual, const torch::Tensor &expected) {
  return (actual - expected).abs().max().item<double>() / expected.square().mean().sqrt().item<double>();
}

TEST_P(ConvertedDecoder, DecodingContinuesAPrefill) {
  Decoder decoder = converted();
  constexpr std::int64_t prompt = 650, steps = 9;
  torch::manual_seed(2);
  auto embeddings = torch::randn({2, prompt + steps, 48});
  DecoderState whole_state = decoder.initialState(2);
  auto whole = decoder.forwardEmbeddings(embeddings, mixed(prompt + steps), whole_state, Logits::all);

  DecoderState state = decoder.initialState(2);
  std::vector<torch::Tensor> parts{
      decoder.forwardEmbeddings(embeddings.narrow(1, 0, prompt), mixed(prompt), state, Logits::all)};
  for (std::int64_t step = prompt; step < prompt + steps; ++step)
    parts.push_back(decoder.forwardEmbeddings(embeddings.narrow(1, step, 1), {1, {}}, state, Logits::all));
  // f32 sums of five layers in another order.
  EXPECT_LT(worst(torch::cat(parts, 1), whole), 1e-4);
  EXPECT_EQ(state.tokens, prompt + steps);
  EXPECT_EQ(state.bytes(), whole_state.bytes());
}

TEST_P(ConvertedDecoder, AStepTakesTheSameTimeAndMemoryAfter1KAnd64KTokens) {
  Decoder decoder = converted();
  auto after = [&](std::int64_t tokens) {
    torch::manual_seed(4);
    DecoderState state = decoder.initialState();
    decoder.forwardEmbeddings(torch::randn({1, tokens, 48}), {tokens, {{100, 8, 10, 10}}}, state);
    return state;
  };
  DecoderState near = after(1024), far = after(65536);
  EXPECT_EQ(near.bytes(), far.bytes());
  auto token = torch::randint(50, {1, 1}, torch::kInt64);
  auto time = [&](DecoderState &state) {
    return secondsOf([&] {
      for (int step = 0; step < 20; ++step)
        decoder.forward(token, state);
    });
  };
  // Minima of alternating rounds differ by a few percent, after more rounds the busier the machine is; a
  // cache would take tens of times as long in every one.
  double first = 1e9, second = 1e9;
  for (int round = 0; round < 300; ++round) {
    first = std::min(first, time(near));
    second = std::min(second, time(far));
    if (round >= 10 && second < 1.3 * first && first < 1.3 * second)
      break;
  }
  EXPECT_EQ(near.bytes(), far.bytes());
  EXPECT_LT(second, 1.3 * first);
  EXPECT_LT(first, 1.3 * second);
}

TEST_P(ConvertedDecoder, IsNotConvertedAgainAndSharesNoStateWithItsTeacher) {
  using test::expectError;
  Decoder teacher = load(config), student = converted();
  expectError(ErrorCode::unsupported,
              "conversion to M-MATE: expected attention in every layer, got another mixer",
              [&] { convertToMMate(student, MMateConfig::preset(GetParam())); });
  auto token = torch::zeros({1, 1}, torch::kInt64);
  DecoderState of_student = student.initialState(), of_teacher = teacher.initialState();
  expectError(ErrorCode::invalidArgument, "attention requires the state that it created, a KeyValueCache",
              [&] { teacher.forward(token, of_student); });
  expectError(ErrorCode::invalidArgument,
              "state: expected one made by M-MATE's initialState, got that of another mixer",
              [&] { student.forward(token, of_teacher); });
}

INSTANTIATE_TEST_SUITE_P(Presets, ConvertedDecoder, testing::Values("paper", "safe"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace linmu::models
