#include "models/decoder/attention.h"
#include "models/decoder/decoder.h"
#include "models/decoder/few_rows.h"
#include "models/decoder/rotary.h"
#include "tests/unit/models_decoder_fixture.h"
#include <functional>

namespace linmu::models {
namespace {

using test::expectError;
using test::Tensors;

const DecoderConfig config{.vocab_size = 50,
                           .hidden_size = 32,
                           .intermediate_size = 40,
                           .layers = 2,
                           .heads = 4,
                           .key_value_heads = 2,
                           .head_dim = 8,
                           .query_key_value_bias = true};

using DecoderTest = test::DecoderFileTest;

TEST_F(DecoderTest, NamesAndShapesMustBeExactlyTheModels) {
  auto refuse = [&](const std::function<void(Tensors &)> &change, std::string_view text) {
    Tensors tensors = randomTensors(config);
    change(tensors);
    expectError(ErrorCode::corruptFile, text, [&] { load(config, tensors); });
  };
  refuse([](Tensors &t) { t.erase("model.layers.1.mlp.up_proj.weight"); },
         "requires the tensor 'model.layers.1.mlp.up_proj.weight'");
  refuse([](Tensors &t) { t.erase("model.layers.0.self_attn.k_proj.bias"); }, "self_attn.k_proj.bias'");
  refuse([](Tensors &t) { t["model.norm.weight"] = torch::zeros({31}); },
         "tensor 'model.norm.weight' must have the shape [32], got [31]");
  refuse([](Tensors &t) { t["model.layers.2.extra"] = torch::zeros({1}); },
         "holds 1 tensors that the model does not have: 'model.layers.2.extra'");
  DecoderConfig tied = config;
  tied.tied_embeddings = true;
  expectError(ErrorCode::corruptFile,
              "tie_word_embeddings requires lm_head.weight to equal model.embed_tokens.weight, it does not",
              [&] { load(tied, randomTensors(config)); });
}

TEST_F(DecoderTest, WeightsOfIntegersAreUnsupported) {
  std::int64_t one = 1;
  TensorToStore stored[] = {{"model.norm.weight", StoredType::i64, {}, std::as_bytes(std::span(&one, 1))}};
  writeSafetensors(folder_ / "model.safetensors", stored);
  expectError(ErrorCode::unsupported,
              "tensor 'model.norm.weight' has the type I64, weights require F32, F16, BF16 or F64",
              [&] { WeightReader::fromSafetensors(folder_); });
}

TEST_F(DecoderTest, PiecesOfAnyLengthGiveTheLogitsOfOnePrefill) {
  Decoder decoder = load(config);
  auto ids = torch::randint(50, {2, 1100}, torch::kInt64); // more than one block of the mask
  DecoderState whole_state = decoder.initialState(2);
  auto whole = decoder.forward(ids, whole_state, Logits::all);
  DecoderState state = decoder.initialState(2);
  std::vector<torch::Tensor> parts;
  std::int64_t begin = 0;
  for (std::int64_t length : {7, 1, 1080, 1, 11}) {
    parts.push_back(decoder.forward(ids.narrow(1, begin, length), state, Logits::all));
    begin += length;
  }
  EXPECT_EQ(state.tokens, 1100);
  // f32 sums in another order, on logits of magnitude 1 to 10.
  EXPECT_LT((torch::cat(parts, 1) - whole).abs().max().item<float>(), 1e-4f);
  DecoderState last_state = decoder.initialState(2);
  auto last = decoder.forward(ids, last_state, Logits::last);
  EXPECT_EQ(last.sizes(), (std::vector<std::int64_t>{2, 1, 50}));
  EXPECT_LT((last - whole.narrow(1, 1099, 1)).abs().max().item<float>(), 1e-4f);
}

TEST_F(DecoderTest, ALaterTokenChangesNoEarlierLogits) {
  Decoder decoder = load(config);
  auto ids = torch::randint(50, {1, 12}, torch::kInt64), changed = ids.clone();
  changed[0][8] = (changed[0][8] + 1) % 50;
  DecoderState one = decoder.initialState(), other = decoder.initialState();
  auto difference =
      (decoder.forward(ids, one, Logits::all) - decoder.forward(changed, other, Logits::all)).abs();
  EXPECT_EQ(difference.narrow(1, 0, 8).max().item<float>(), 0.0f);
  for (std::int64_t i = 8; i < 12; ++i)
    EXPECT_GT(difference.select(1, i).max().item<float>(), 1e-4f);
}

TEST_F(DecoderTest, TokensAndTheirEmbeddingsGiveTheSameLogits) {
  Decoder decoder = load(config);
  auto ids = torch::randint(50, {1, 20}, torch::kInt64);
  DecoderState one = decoder.initialState(), other = decoder.initialState();
  auto from_ids = decoder.forward(ids, one, Logits::all);
  auto from_rows = decoder.forwardEmbeddings(decoder.embed(ids), {20, {{2, 2, 2, 3}}}, other, Logits::all);
  EXPECT_TRUE(torch::equal(from_ids, from_rows));
}

TEST_F(DecoderTest, FewTokensAreNormedAndRotatedLikeMany) {
  // The same rows in a loop, in inference, and by torch's operations, among others and in training.
  const std::int64_t many = 600;
  Rotary rotary(32, 1e4);
  torch::Tensor x = torch::randn({1, many, 3, 32}), weight = torch::randn({32});
  torch::Tensor positions = torch::arange(many, torch::kInt64).flip(0), tiny = 1e-3 * x;
  ASSERT_FALSE(isFewRows(x));
  torch::Tensor normed = rmsNorm(x, weight, 1e-5), small = rmsNorm(tiny, weight, 1e-5),
                rotated = rotary.apply(x, positions);
  auto expectNear = [](const torch::Tensor &actual, const torch::Tensor &expected) {
    // Some units in the last place: sums in another order.
    EXPECT_LT((actual - expected).abs().max().item<float>(), 4e-6f);
  };
  for (std::int64_t count : {1, 2, 8}) {
    torch::Tensor rows = x.narrow(1, 5, count).clone(), at = positions.narrow(0, 5, count);
    {
      const c10::InferenceMode inference;
      ASSERT_TRUE(isFewRows(rows) && !isFewRows(x.narrow(2, 0, 2)));
      expectNear(rmsNorm(rows, weight, 1e-5), normed.narrow(1, 5, count));
      expectNear(rmsNorm(tiny.narrow(1, 5, count).clone(), weight, 1e-5), small.narrow(1, 5, count));
      expectNear(rotary.apply(rows, at), rotated.narrow(1, 5, count));
    }
    ASSERT_FALSE(isFewRows(rows));
    torch::Tensor leaf = rows.clone().requires_grad_(true), scale = weight.clone().requires_grad_(true);
    torch::Tensor sum = rmsNorm(leaf, weight, 1e-5).sum() + rmsNorm(rows, scale, 1e-5).sum();
    (sum + rotary.apply(leaf, at).square().sum()).backward();
    EXPECT_TRUE(leaf.grad().defined() && scale.grad().defined());
  }
  torch::Tensor odd = torch::randn({2, 1, 1, 35}), factors = torch::randn({35}); // no whole number of lanes
  const torch::Tensor among = rmsNorm(odd.expand({2, 600, 1, 35}), factors, 1e-5).narrow(1, 0, 1);
  const c10::InferenceMode inference;
  expectNear(rmsNorm(odd, factors, 1e-5), among);
}

TEST_F(DecoderTest, AClonedStateContinuesOnItsOwn) {
  Decoder decoder = load(config);
  auto ids = torch::randint(50, {1, 9}, torch::kInt64);
  DecoderState state = decoder.initialState();
  EXPECT_EQ(state.bytes(), 0);
  decoder.forward(ids, state);
  // keys and values of 9 tokens, 2 layers, 2 heads of 8, f32
  EXPECT_EQ(state.bytes(), 2 * 9 * 2 * 2 * 8 * 4);
  DecoderState copy = state.clone();
  auto expected = decoder.forward(ids.narrow(1, 0, 1), copy);
  EXPECT_EQ(state.tokens, 9);
  EXPECT_TRUE(torch::equal(decoder.forward(ids.narrow(1, 0, 1), state), expected));
}

TEST_F(DecoderTest, BadInputIsRefusedBeforeTheStateChanges) {
  Decoder decoder = load(config);
  DecoderState state = decoder.initialState();
  auto refuse = [&](std::string_view text, const std::function<void()> &action) {
    expectError(ErrorCode::invalidArgument, text, action);
  };
  auto rows = torch::zeros({1, 6, 32});
  refuse("token ids must be 0 to 49, got 50",
         [&] { decoder.forward(torch::full({1, 2}, 50, torch::kInt64), state); });
  refuse("token ids must be an int64 tensor [B, N], got Float of rank 2",
         [&] { decoder.forward(torch::zeros({1, 2}), state); });
  refuse("embeddings must be a float tensor [B, N >= 1, 32]",
         [&] { decoder.forwardEmbeddings(torch::zeros({1, 6, 31}), {6, {}}, state); });
  refuse("embeddings must be", [&] { decoder.forwardEmbeddings(rows.narrow(1, 0, 0), {0, {}}, state); });
  refuse("the layout has 5 tokens, the embeddings have 6",
         [&] { decoder.forwardEmbeddings(rows, {5, {}}, state); });
  refuse("must lie after token 0 and before token 6",
         [&] { decoder.forwardEmbeddings(rows, {6, {{3, 1, 2, 2}}}, state); });
  refuse("must lie after token 4",
         [&] { decoder.forwardEmbeddings(rows, {6, {{0, 1, 2, 2}, {3, 1, 1, 1}}}, state); });
  refuse("a media item must have a grid within the 6 tokens, got 0 x 2 x 2",
         [&] { decoder.forwardEmbeddings(rows, {6, {{0, 0, 2, 2}}}, state); });
  DecoderState wrong;
  refuse("the state must have 2 layers, got 0", [&] { decoder.forwardEmbeddings(rows, {6, {}}, wrong); });
  EXPECT_EQ(state.tokens, 0);
  EXPECT_EQ(state.bytes(), 0);
}

} // namespace
} // namespace linmu::models
