// Packed weights against the same weights in f32.
#include "models/decoder/linear_weight.h"
#include "tests/unit/models_gguf_fixture.h"
#include <algorithm>
#include <c10/util/Half.h>
#include <fmt/format.h>
#include <memory>
#include <random>

namespace linmu::models {
namespace {

using namespace test::gguf;

class LinearWeightTest : public test::FileTest, public testing::WithParamInterface<GgufTensorType> {
protected:
  /// `rows` random rows of 96 values; scales, unless given, and offsets are of the size that models have.
  PackedRows random(std::int64_t rows, std::vector<std::int64_t> order = {}, float scale = 0) const {
    constexpr std::uint64_t columns = 96;
    GgufBlock block = blockOf(GetParam());
    std::mt19937 generator(5);
    std::string data;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(rows) * columns / 32; ++i) {
      std::string bytes;
      for (std::int64_t at = 0; at < block.bytes; ++at)
        bytes += static_cast<char>(generator());
      for (std::size_t at = 0; at < (GetParam() == GgufTensorType::q4_1 ? 4u : 2u); at += 2) {
        float size = scale > 0 ? scale : 0.01f + 0.02f * static_cast<float>(generator() % 100) / 100;
        bytes.replace(at, 2,
                      test::bytesOfValue(c10::Half(at == 0 ? size : std::max(-8 * size, -65000.0f)).x));
      }
      data += bytes;
    }
    std::string start = head(1, 0) + entry("w", {columns, static_cast<std::uint64_t>(rows)},
                                           static_cast<std::uint32_t>(GetParam()), 0);
    auto file = std::make_shared<const GgufFile>(
        GgufFile::open(write(fmt::format("{}.gguf", rows), padded(start) + data)));
    return PackedRows(file, file->tensors().at("w"), std::move(order));
  }
};

double worst(const torch::Tensor &actual, const torch::Tensor &expected) {
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

TEST_P(LinearWeightTest, ProductsWithPackedWeightsAreThoseOfF32) {
  torch::manual_seed(1);
  for (std::int64_t rows : {16, 17, 192}) {
    LinearWeight packed(random(rows));
    torch::Tensor dense = packed.dense(), bias = torch::randn({rows});
    for (std::int64_t tokens : {1, 4, 5, 20}) {
      torch::Tensor x = torch::randn({2, tokens, 96});
      // Sums of 96 products in f32, in another order.
      EXPECT_LT(worst(packed.multiply(x, bias), torch::linear(x, dense, bias)), 1e-6)
          << rows << " rows, " << tokens << " tokens";
    }
  }
}

TEST_P(LinearWeightTest, ProductsBesideEachOtherAreThoseAlone) {
  LinearWeight first(random(192)), second(random(17)), dense(torch::randn({5, 96}));
  torch::Tensor bias = torch::randn({17}), bias_of_dense = torch::randn({5});
  for (std::int64_t tokens : {1, 8, 9, 20}) {
    torch::Tensor x = torch::randn({1, tokens, 96});
    for (bool mixed : {false, true}) { // with one that is not packed each is for itself
      std::vector<torch::Tensor> products =
          mixed ? LinearWeight::multiplyEach({{first}, {dense, bias_of_dense}, {second, bias}}, x)
                : LinearWeight::multiplyEach({{first}, {second, bias}}, x);
      EXPECT_TRUE(torch::equal(products.front(), first.multiply(x)));
      EXPECT_TRUE(torch::equal(products.back(), second.multiply(x, bias)));
      if (mixed)
        EXPECT_TRUE(torch::equal(products[1], dense.multiply(x, bias_of_dense)));
    }
  }
}

TEST_P(LinearWeightTest, RowsComeInTheirOrderAndExactly) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < 32; ++i)
    order.push_back(31 - i);
  LinearWeight plain(random(32)), reversed(random(32, order));
  torch::Tensor ids = torch::tensor({{3, 0}, {31, 3}}, torch::kInt64);
  EXPECT_TRUE(torch::equal(reversed.dense(), plain.dense().flip(0)));
  EXPECT_TRUE(torch::equal(plain.rowsOf(ids), torch::embedding(plain.dense(), ids)));
  torch::Tensor x = torch::randn({1, 96});
  EXPECT_TRUE(torch::equal(reversed.multiply(x), plain.multiply(x).flip(1)));
}

TEST_P(LinearWeightTest, OffsetsThatF16DoesNotHoldAreUnpacked) {
  // -128 or -8 times this scale is infinite in f16; Q4_1 has its own offset.
  LinearWeight weight(random(16, {}, 60000));
  const bool unpacked = GetParam() != GgufTensorType::q4_1;
  EXPECT_EQ(weight.bytes() == 16 * 96 * 4, unpacked);
  torch::Tensor x = torch::randn({1, 96});
  EXPECT_LT(worst(weight.multiply(x), torch::linear(x, weight.dense())), 1e-6);
}

TEST_P(LinearWeightTest, PackedWeightsTakeAboutAsMuchMemoryAsTheirFile) {
  LinearWeight weight(random(192));
  EXPECT_LE(weight.bytes(), 192 * 96 / 32 * blockOf(GetParam()).bytes * 5 / 4);
}

TEST_P(LinearWeightTest, PackedWeightsLeadToNoGradientsAndNoFiles) {
  LinearWeight weight(random(16));
  test::expectError(ErrorCode::unsupported, "w: expected a tensor in f32, got weights packed in ",
                    [&] { weight.tensor("w"); });
  torch::Tensor x = torch::randn({1, 96}, torch::requires_grad());
  test::expectError(ErrorCode::unsupported, "expected an input without gradients",
                    [&] { weight.multiply(x); });
  torch::NoGradGuard guard;
  EXPECT_EQ(weight.multiply(x).sizes(), (std::vector<std::int64_t>{1, 16}));
}

TEST_P(LinearWeightTest, MovingUnpacksUnlessItIsToTheCpu) {
  LinearWeight weight(random(16)), copy = weight;
  EXPECT_TRUE(copy.isSame(weight));
  copy.moveTo(torch::kCPU);
  EXPECT_TRUE(copy.isPacked() && copy.isSame(weight));
  copy.moveTo(torch::kMeta);
  EXPECT_FALSE(copy.isPacked() || copy.isSame(weight));
  EXPECT_EQ(copy.tensor().device().type(), torch::kMeta);
  EXPECT_EQ(copy.outputs(), 16);
  EXPECT_EQ(copy.inputs(), 96);
  EXPECT_TRUE(weight.isPacked());
}

INSTANTIATE_TEST_SUITE_P(Types, LinearWeightTest,
                         testing::Values(GgufTensorType::q4_0, GgufTensorType::q4_1, GgufTensorType::q8_0),
                         [](const auto &info) {
                           return info.param == GgufTensorType::q4_0   ? "Q4_0"
                                  : info.param == GgufTensorType::q4_1 ? "Q4_1"
                                                                       : "Q8_0";
                         });

} // namespace
} // namespace linmu::models
