// Operands that kernels address memory by: orders, media tables and tables of sequences.
#include "quiet_moment.h"
#include "runtime/core/kernel.h"
#include "tests/unit/runtime_fixture.h"
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace linmu;
using namespace linmu::test;

namespace {

/// 'sum2' with a third input that its kernel does not read.
Package withIndices(const OperandSpec &spec) {
  Package package = addPackage();
  package.signature.inputs.push_back(spec);
  return package;
}

class Contents : public testing::Test {
protected:
  Contents() : x(std::size_t(tokens * 12), 1.0f), o(x.size(), -1.0f) {}

  std::string run(const Package &package, std::vector<std::int64_t> sizes) {
    TensorView rows = view(x.data(), {1, tokens, 3, 4});
    TensorView index{entries.data(), DType::i32, int(sizes.size())};
    std::copy(sizes.begin(), sizes.end(), index.sizes.begin());
    index.strides = {1};
    if (sizes.size() == 2)
      index.strides = {sizes[1], 1};
    try {
      Kernel::open(package)(std::array{rows, rows, index}, std::array{view(o.data(), {1, tokens, 3, 4})});
    } catch (const Error &error) {
      EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
      EXPECT_EQ(o, std::vector<float>(o.size(), -1.0f)) << "something was written before the error";
      return error.what();
    }
    EXPECT_EQ(o, std::vector<float>(o.size(), 2.0f));
    return "ran";
  }
  std::string order() {
    OperandSpec spec{"i", DType::i32, {{Extent::batch, 0}, {Extent::tokens, 0}}, OperandSpec::tokenOrder};
    return run(withIndices(spec), {1, tokens});
  }
  std::string media() {
    OperandSpec spec{
        "m", DType::i32, {{Extent::mediaItems, 0}, {Extent::constant, 4}}, OperandSpec::mediaTable};
    return run(withIndices(spec), {std::int64_t(entries.size()) / 4, 4});
  }
  std::string sequences() {
    OperandSpec spec{"cu", DType::i32, {{Extent::sequences, 1}}, OperandSpec::sequenceTable};
    return run(withIndices(spec), {std::int64_t(entries.size())});
  }

  static constexpr std::int64_t tokens = 70;
  std::vector<float> x, o;
  std::vector<std::int32_t> entries;
};

TEST_F(Contents, APermutationRuns) {
  entries.resize(tokens);
  std::iota(entries.rbegin(), entries.rend(), 0);
  EXPECT_EQ(order(), "ran");
}

TEST_F(Contents, AnEntryOutsideTheTokensIsNamed) {
  for (std::int32_t wrong : {-1, 70, 1 << 30, INT32_MIN}) {
    entries.resize(tokens);
    std::iota(entries.begin(), entries.end(), 0);
    entries[67] = wrong;
    EXPECT_EQ(order(), "operand 'i' of pattern 'sum2': expected each token of 0 to 69 once, got " +
                           std::to_string(wrong) + " at position 67 of sequence 0");
  }
}

TEST_F(Contents, ATokenThatComesTwiceIsNamed) {
  entries.resize(tokens);
  std::iota(entries.begin(), entries.end(), 0);
  entries[69] = 3;
  EXPECT_EQ(order(), "operand 'i' of pattern 'sum2': expected each token of 0 to 69 once, got 3 again at "
                     "position 69 of sequence 0");
}

TEST_F(Contents, ItemsInAnyRowOrderAndEmptyOnesRun) {
  entries = {40, 2, 3, 5, 0, 1, 1, 40, 70, 0, 9, 9, -7, 5, 0, 2147483647};
  EXPECT_EQ(media(), "ran");
  entries = {};
  EXPECT_EQ(media(), "ran");
}

TEST_F(Contents, ARowOutsideTheTokensIsNamed) {
  auto message = [](const char *row) {
    return "operand 'm' of pattern 'sum2': expected items inside the 70 tokens, got " + std::string(row);
  };
  entries = {0, 1, 2, 3, 41, 2, 3, 5};
  EXPECT_EQ(media(), message("2 x 3 x 5 from token 41 in row 1"));
  entries = {-1, 1, 1, 1};
  EXPECT_EQ(media(), message("1 x 1 x 1 from token -1 in row 0"));
  entries = {70, 1, 1, 1};
  EXPECT_EQ(media(), message("1 x 1 x 1 from token 70 in row 0"));
  // 2^22 * 2^21 * 2^21 is 0 modulo 2^64, 2^16 * 2^16 * 1 is 0 modulo 2^32.
  entries = {0, 1 << 22, 1 << 21, 1 << 21};
  EXPECT_EQ(media(), message("4194304 x 2097152 x 2097152 from token 0 in row 0"));
  entries = {0, 1 << 16, 1 << 16, 1};
  EXPECT_EQ(media(), message("65536 x 65536 x 1 from token 0 in row 0"));
  entries = {INT32_MAX, 1, 1, INT32_MAX};
  EXPECT_EQ(media(), message("1 x 1 x 2147483647 from token 2147483647 in row 0"));
}

TEST_F(Contents, ANegativeExtentIsNamed) {
  entries = {0, 1, 2, 3, 8, -2, -3, 2};
  EXPECT_EQ(media(),
            "operand 'm' of pattern 'sum2': expected extents of at least 0, got -2 x -3 x 2 in row 1");
}

TEST_F(Contents, RowsThatOverlapAreNamed) {
  entries = {40, 2, 3, 5, 0, 1, 1, 40, 39, 1, 1, 1};
  EXPECT_EQ(
      media(),
      "operand 'm' of pattern 'sum2': expected items that do not overlap, got token 39 in rows 1 and 2");
}

TEST_F(Contents, SequencesThatGoFromZeroToTheTokensRun) {
  for (const auto &table : {std::vector<std::int32_t>{0, 70}, {0, 0, 0, 7, 70, 70}}) {
    entries = table;
    EXPECT_EQ(sequences(), "ran");
  }
}

TEST_F(Contents, ATableOfSequencesThatIsNoneIsNamed) {
  auto message = [](const std::string &what) { return "operand 'cu' of pattern 'sum2': expected " + what; };
  entries = {1, 70};
  EXPECT_EQ(sequences(), message("entry 0 to be 0, got 1"));
  entries = {0, 30, 29, 70};
  EXPECT_EQ(sequences(), message("entry 2 to be at least entry 1, 30, got 29"));
  entries = {0, INT32_MIN, 70};
  EXPECT_EQ(sequences(), message("entry 1 to be at least entry 0, 0, got -2147483648"));
  for (std::int32_t wrong : {0, 69, 71}) {
    entries = {0, wrong};
    EXPECT_EQ(sequences(), message("the last entry to be the 70 tokens, got " + std::to_string(wrong)));
  }
  entries = {};
  EXPECT_EQ(sequences(), message("shape [S+1], got [0]"));
}

TEST_F(Contents, AnOperandMustHaveTheTypeOfItsContent) {
  OperandSpec spec{
      "m", DType::i32, {{Extent::mediaItems, 0}, {Extent::constant, 3}}, OperandSpec::mediaTable};
  auto message = [&] { return std::string(errorOf([&] { Kernel::open(withIndices(spec)); }).what()); };
  EXPECT_EQ(message(), "package of pattern 'sum2': input 'm' has not the type of its content, a media table");
  spec = {"i", DType::f32, {{Extent::batch, 0}, {Extent::tokens, 0}}, OperandSpec::tokenOrder};
  EXPECT_EQ(message(), "package of pattern 'sum2': input 'i' has not the type of its content, a token order");
  spec = {"cu", DType::i32, {{Extent::sequences, 0}}, OperandSpec::sequenceTable};
  EXPECT_EQ(message(),
            "package of pattern 'sum2': input 'cu' has not the type of its content, a table of sequences");
}

TEST(Speed, AnOrderIsCheckedInUnderAHundredthOfTheScanThatFollows) {
  // 16,384 tokens of 9 heads of 64 take 26 ms at least.
  constexpr std::int64_t many = 16384;
  Package package = resultOnlyPackage("nothing");
  package.signature.inputs = {
      {"i", DType::i32, {{Extent::batch, 0}, {Extent::tokens, 0}}, OperandSpec::tokenOrder}};
  package.expressions = {Expression::of(1)};
  Kernel kernel = Kernel::open(package);
  std::vector<std::int32_t> entries(many);
  std::iota(entries.begin(), entries.end(), 0);
  std::shuffle(entries.begin(), entries.end(), std::mt19937(1));
  std::vector<float> out(many);
  TensorView index{entries.data(), DType::i32, 2, {1, many}, {many, 1}};
  double seconds = leastSeconds(
      260e-6, 50, [&] { kernel(std::array{index}, std::array{view(out.data(), {1, many, 1, 1})}); });
  std::printf("order of %d tokens: %.1f us\n", int(many), seconds * 1e6);
  EXPECT_LT(seconds, 260e-6);
}

TEST(InPlace, AResultInPlaceOfAnInputHasItsTypeAndComesLast) {
  Package package = totalPackage();
  auto message = [&] { return std::string(errorOf([&] { Kernel::open(package); }).what()); };
  package.signature.results[0].in_place_of = 1;
  EXPECT_EQ(message(), "package of pattern 'total': result 'o' in place of input 1 of 1");
  package.signature.results[0].in_place_of = 0;
  EXPECT_EQ(message(), "package of pattern 'total': result 'o' in place of input 'x' has another type");
  package.signature.results[0].shape = package.signature.inputs[0].shape;
  EXPECT_NO_THROW(Kernel::open(package));
  package.variants[0].launches.push_back(package.variants[0].launches[0]);
  EXPECT_EQ(
      message(),
      "package of pattern 'total': result 'o' in place of input 'x', which kernel 'sum_part' reads later");
}

} // namespace
