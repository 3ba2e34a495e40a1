// Results have memory of their own: what is refused, and what only looks as if it overlapped.
#include "quiet_moment.h"
#include "runtime/core/memory_check.h"
#include "tests/unit/runtime_fixture.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace linmu;
using namespace linmu::test;

namespace {

TensorView strided(float *data, std::initializer_list<std::int64_t> sizes,
                   std::initializer_list<std::int64_t> strides) {
  TensorView result = view(data, sizes);
  std::copy(strides.begin(), strides.end(), result.strides.begin());
  return result;
}

class Memory : public testing::Test {
protected:
  void check() { checkMemory(signature, std::array{x, y}, std::array{o}); }
  std::string message() {
    Error error = errorOf([&] { check(); });
    EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
    return error.what();
  }

  std::vector<float> memory = std::vector<float>(4096);
  float *at(std::size_t index) { return memory.data() + index; }
  Signature signature = addPackage().signature;
  TensorView x = view(at(1000), {1, 2, 3, 4}), y = view(at(2000), {1, 2, 3, 4}),
             o = view(at(0), {1, 2, 3, 4});
};

TEST_F(Memory, AResultOnAnInputIsNamed) {
  o.data = x.data;
  EXPECT_EQ(message(),
            "result 'o' of pattern 'sum2': expected memory of its own, got an overlap with operand 'x'");
  o.data = y.data;
  EXPECT_EQ(message(),
            "result 'o' of pattern 'sum2': expected memory of its own, got an overlap with operand 'y'");
}

TEST_F(Memory, OneSharedElementIsEnough) {
  o.data = at(1000 - 23);
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
  o.data = at(1000 - 24);
  EXPECT_NO_THROW(check());
  o.data = at(1000 + 24);
  EXPECT_NO_THROW(check());
  o.data = at(1000 + 23);
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
}

TEST_F(Memory, InputsMayOverlap) {
  y = x;
  EXPECT_NO_THROW(check());
}

TEST_F(Memory, ColumnsOfTheSameRowsShareNothing) {
  // [2 sequences, 5 tokens, 36 columns]: x has columns 0..11, the result 12..23, y 24..35.
  x = strided(at(0), {2, 5, 3, 4}, {180, 36, 4, 1});
  o = strided(at(12), {2, 5, 3, 4}, {180, 36, 4, 1});
  y = strided(at(24), {2, 5, 3, 4}, {180, 36, 4, 1});
  EXPECT_NO_THROW(check());
  o.data = at(11);
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
  o.data = at(13);
  EXPECT_NE(message().find("overlap with operand 'y'"), std::string::npos);
}

TEST_F(Memory, EverySecondTokenAndHeadSharesNothingWithTheOthers) {
  x = strided(at(0), {1, 8, 3, 4}, {0, 24, 4, 1});
  o = strided(at(12), {1, 8, 3, 4}, {0, 24, 4, 1});
  EXPECT_NO_THROW(check());
  x = strided(at(0), {1, 8, 3, 4}, {0, 24, 8, 1});
  o = strided(at(4), {1, 8, 3, 4}, {0, 24, 8, 1});
  EXPECT_NO_THROW(check());
  o = strided(at(7), {1, 8, 3, 4}, {0, 24, 8, 1});
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
}

TEST_F(Memory, ReversedTokensAreTheSameMemory) {
  o = strided(at(1012), {1, 2, 3, 4}, {24, -12, 4, 1});
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
  o = strided(at(512), {1, 2, 3, 4}, {24, -12, 4, 1});
  EXPECT_NO_THROW(check());
}

TEST_F(Memory, ABroadcastInputTakesOneRow) {
  x = strided(at(12), {1, 100, 3, 4}, {0, 0, 4, 1});
  o = strided(at(24), {1, 100, 3, 4}, {1200, 12, 4, 1});
  EXPECT_NO_THROW(check());
  o.data = at(12);
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
}

TEST_F(Memory, AResultWhoseRowsOverlapIsNamed) {
  o = strided(at(0), {1, 2, 3, 4}, {24, 11, 4, 1});
  EXPECT_EQ(message(),
            "result 'o' of pattern 'sum2': expected strides that keep its elements apart, got [24, "
            "11, 4, 1] for shape [1, 2, 3, 4]");
  o = strided(at(0), {2, 2, 3, 4}, {12, 24, 4, 1}); // tokens before sequences
  EXPECT_NO_THROW(check());
}

TEST_F(Memory, AResultOnAnotherResultIsNamed) {
  signature.results.push_back(signature.results[0]);
  signature.results[1].name = "p";
  EXPECT_STREQ(errorOf([&] { checkMemory(signature, std::array{x, y}, std::array{o, o}); }).what(),
               "result 'p' of pattern 'sum2': expected memory of its own, got an overlap with result 'o'");
}

TEST_F(Memory, AStateMayReplaceTheOneBeforeAndNothingElse) {
  signature.results[0].in_place_of = 0;
  o = x;
  EXPECT_NO_THROW(check());
  y = x;
  EXPECT_NE(message().find("overlap with operand 'y'"), std::string::npos);
  y = view(at(2000), {1, 2, 3, 4});
  o.data = at(1004);
  EXPECT_EQ(message(), "result 'o' of pattern 'sum2': expected memory of its own or exactly that of operand "
                       "'x', got an overlap with operand 'x'");
  o = strided(at(1000), {1, 2, 3, 4}, {24, 16, 4, 1});
  EXPECT_NE(message().find("overlap with operand 'x'"), std::string::npos);
}

TEST_F(Memory, ViewsBeyondTheAddressSpaceAreNamed) {
  const std::int64_t huge = std::int64_t(1) << 61;
  x = strided(at(1000), {1, 9, 3, 4}, {0, huge, 4, 1});
  EXPECT_EQ(message(),
            "operand 'x' of pattern 'sum2': expected a tensor inside the address space, got strides "
            "[0, 2305843009213693952, 4, 1] for shape [1, 9, 3, 4]");
  x = strided(at(1000), {2, 9, 3, 4}, {INT64_MIN, 12, 4, 1});
  EXPECT_NE(message().find("inside the address space"), std::string::npos);
  x = strided(at(1000), {1 << 30, 9, 3, 4}, {-(std::int64_t(1) << 40), 12, 4, 1});
  EXPECT_NE(message().find("inside the address space"), std::string::npos);
}

/// The definition: every element's address.
std::multiset<std::int64_t> places(const TensorView &v) {
  std::multiset<std::int64_t> all{0};
  for (int axis = 0; axis < v.rank; ++axis) {
    std::multiset<std::int64_t> next;
    for (std::int64_t place : all)
      for (std::int64_t i = 0; i < v.sizes[axis]; ++i)
        next.insert(place + i * v.strides[axis]);
    all = next;
  }
  return all;
}

TEST_F(Memory, RandomViewsAreRefusedExactlyWhereElementsMeet) {
  std::mt19937 random(3);
  auto below = [&](int n) { return std::int64_t(random() % unsigned(n)); };
  int met = 0, apart = 0, interleaved = 0;
  for (int round = 0; round < 20000; ++round) {
    // Views of one [2, 4, 6, 4]: any sub-range with any step in any direction of each axis.
    auto cut = [&](std::int64_t &offset) {
      TensorView v = view(nullptr, {2, 4, 6, 4});
      offset = 0;
      for (int axis = 0; axis < 4; ++axis) {
        std::int64_t size = v.sizes[axis], stride = v.strides[axis], from = below(int(size));
        std::int64_t step = axis == 3 ? 1 : 1 + below(2);
        std::int64_t count = 1 + below(int((size - 1 - from) / step + 1));
        bool backward = axis < 3 && below(3) == 0;
        offset += (backward ? from + (count - 1) * step : from) * stride;
        v.sizes[axis] = count;
        v.strides[axis] = stride * step * (backward ? -1 : 1);
      }
      return v;
    };
    std::int64_t of_input = 0, of_result = 0;
    x = cut(of_input);
    o = cut(of_result);
    x.data = at(std::size_t(of_input));
    o.data = at(std::size_t(of_result));
    std::multiset<std::int64_t> input = places(x), result = places(o);
    bool meets = std::any_of(result.begin(), result.end(), [&](std::int64_t place) {
      return input.contains(place + of_result - of_input);
    });
    bool refused = false;
    try {
      check();
    } catch (const Error &error) {
      refused = true;
    }
    ASSERT_EQ(refused, meets) << "round " << round;
    ++(meets ? met : apart);
    interleaved += !meets && *input.begin() + of_input < *result.rbegin() + of_result &&
                   *result.begin() + of_result < *input.rbegin() + of_input;
  }
  EXPECT_GT(met, 1000);
  EXPECT_GT(apart, 1000);
  EXPECT_GT(interleaved, 1000);
}

TEST_F(Memory, TenTensorsAreToldApartInUnderAFifthOfAMicrosecond) {
  // Eight inputs that are columns of the same rows, and two results elsewhere: what a decode step has.
  Signature many{"many", std::vector<OperandSpec>(8, signature.inputs[0]),
                 std::vector<OperandSpec>(2, signature.results[0])};
  std::vector<TensorView> inputs, results;
  for (int i = 0; i < 8; ++i)
    inputs.push_back(strided(at(std::size_t(i) * 12), {2, 5, 3, 4}, {480, 96, 4, 1}));
  for (int i = 0; i < 2; ++i)
    results.push_back(view(at(2000 + std::size_t(i) * 1000), {2, 5, 3, 4}));
  double thousand = leastSeconds(0.2e-3, 50, [&] {
    for (int repeat = 0; repeat < 1000; ++repeat)
      checkMemory(many, inputs, results);
  });
  std::printf("ten tensors told apart: %.3f us\n", thousand * 1e3);
  EXPECT_LT(thousand, 0.2e-3);
}

} // namespace
