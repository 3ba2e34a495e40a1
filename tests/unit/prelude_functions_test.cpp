// Elementwise functions of the prelude, by the source that the device compiles, against what docs/patterns.md
// says.
#include "prelude_on_host.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace prelude {
namespace {

//===------------------------------------------------------------------------------------------------===//
// Integers
//===------------------------------------------------------------------------------------------------===//

/// Numbers of T at which arithmetic is not ordinary, and some others.
template <class T> std::vector<T> integers() {
  if constexpr (std::is_same_v<T, bool>) {
    return {false, true};
  } else {
    std::vector<T> all = {0,
                          1,
                          -1,
                          2,
                          -2,
                          3,
                          -3,
                          7,
                          100,
                          std::numeric_limits<T>::min(),
                          std::numeric_limits<T>::max(),
                          static_cast<T>(std::numeric_limits<T>::min() + 1)};
    std::mt19937_64 random(1);
    for (int i = 0; i < 20; ++i)
      all.push_back(static_cast<T>(random()));
    return all;
  }
}

/// Exact, as signed functions see a number; a true bool is -1.
template <class T> __int128 asSigned(T x) { return std::is_same_v<T, bool> ? -static_cast<__int128>(x) : x; }
template <class T> __int128 asUnsigned(T x) {
  return std::is_same_v<T, bool> ? static_cast<__int128>(x)
                                 : asSigned(x) & ((static_cast<__int128>(1) << (8 * sizeof(T))) - 1);
}
/// Modulo 2^bits.
template <class T> T wrapped(__int128 x) {
  return std::is_same_v<T, bool> ? (x & 1) != 0 : static_cast<T>(x);
}

__int128 floorOf(__int128 a, __int128 b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

template <class T> class PreludeIntegers : public testing::Test {};
using IntegerTypes = testing::Types<bool, i8, i16, i32, i64>;
TYPED_TEST_SUITE(PreludeIntegers, IntegerTypes);

TYPED_TEST(PreludeIntegers, WrapModuloTwoToTheirBits) {
  using T = TypeParam;
  for (T a : integers<T>())
    for (T b : integers<T>()) {
      EXPECT_EQ(add(a, b), wrapped<T>(asSigned(a) + asSigned(b)));
      EXPECT_EQ(subtract(a, b), wrapped<T>(asSigned(a) - asSigned(b)));
      EXPECT_EQ(multiply(a, b),
                wrapped<T>(static_cast<__int128>(static_cast<unsigned __int128>(asSigned(a)) *
                                                 static_cast<unsigned __int128>(asSigned(b)))));
      EXPECT_EQ(bit_and(a, b), wrapped<T>(asSigned(a) & asSigned(b)));
      EXPECT_EQ(bit_or(a, b), wrapped<T>(asSigned(a) | asSigned(b)));
      EXPECT_EQ(bit_xor(a, b), wrapped<T>(asSigned(a) ^ asSigned(b)));
      EXPECT_EQ(abs(a), wrapped<T>(asSigned(a) < 0 ? -asSigned(a) : asSigned(a)));
    }
}

TYPED_TEST(PreludeIntegers, DivideByEveryNumber) {
  using T = TypeParam;
  for (T a : integers<T>())
    for (T b : integers<T>()) {
      SCOPED_TRACE(testing::Message() << int64_t(a) << " by " << int64_t(b));
      __int128 x = asSigned(a), y = asSigned(b), ux = asUnsigned(a), uy = asUnsigned(b);
      EXPECT_EQ(divide(a, b), wrapped<T>(y == 0 ? -1 : x / y));
      EXPECT_EQ(remainder(a, b), wrapped<T>(y == 0 ? x : x % y));
      EXPECT_EQ(divide_unsigned(a, b), wrapped<T>(uy == 0 ? -1 : ux / uy));
      EXPECT_EQ(remainder_unsigned(a, b), wrapped<T>(uy == 0 ? ux : ux % uy));
      EXPECT_EQ(ceil_divide_unsigned(a, b), wrapped<T>(uy == 0 ? -1 : (ux + uy - 1) / uy));
      EXPECT_EQ(floor_divide(a, b), wrapped<T>(y == 0 ? -1 : floorOf(x, y)));
      EXPECT_EQ(ceil_divide(a, b), wrapped<T>(y == 0 ? -1 : -floorOf(-x, y)));
    }
}

TYPED_TEST(PreludeIntegers, CompareSignedAndUnsigned) {
  using T = TypeParam;
  for (T a : integers<T>())
    for (T b : integers<T>()) {
      __int128 x = asSigned(a), y = asSigned(b), ux = asUnsigned(a), uy = asUnsigned(b);
      EXPECT_EQ(minimum(a, b), wrapped<T>(std::min(x, y)));
      EXPECT_EQ(maximum(a, b), wrapped<T>(std::max(x, y)));
      EXPECT_EQ(minimum_unsigned(a, b), wrapped<T>(std::min(ux, uy)));
      EXPECT_EQ(maximum_unsigned(a, b), wrapped<T>(std::max(ux, uy)));
      EXPECT_EQ(compare_eq(a, b), x == y);
      EXPECT_EQ(compare_ne(a, b), x != y);
      EXPECT_EQ(compare_slt(a, b), x < y);
      EXPECT_EQ(compare_sle(a, b), x <= y);
      EXPECT_EQ(compare_sgt(a, b), x > y);
      EXPECT_EQ(compare_sge(a, b), x >= y);
      EXPECT_EQ(compare_ult(a, b), ux < uy);
      EXPECT_EQ(compare_ule(a, b), ux <= uy);
      EXPECT_EQ(compare_ugt(a, b), ux > uy);
      EXPECT_EQ(compare_uge(a, b), ux >= uy);
    }
}

TYPED_TEST(PreludeIntegers, ShiftAndConvert) {
  using T = TypeParam;
  for (T a : integers<T>()) {
    if constexpr (!std::is_same_v<T, bool>)
      for (int bits = 0; bits < int(8 * sizeof(T)); ++bits) {
        EXPECT_EQ(shift_left(a, T(bits)), wrapped<T>(asUnsigned(a) << bits));
        EXPECT_EQ(shift_right(a, T(bits)), wrapped<T>(asSigned(a) >> bits));
        EXPECT_EQ(shift_right_unsigned(a, T(bits)), wrapped<T>(asUnsigned(a) >> bits));
      }
    EXPECT_EQ(convert_signed<i64>(a), static_cast<i64>(asSigned(a)));
    EXPECT_EQ(convert_unsigned<i32>(a), static_cast<i32>(asUnsigned(a)));
    EXPECT_EQ(convert_signed<i8>(a), static_cast<i8>(asSigned(a)));
    EXPECT_EQ(convert_signed<bool>(a), (asSigned(a) & 1) != 0);
    EXPECT_EQ(from_signed<f32>(a), static_cast<f32>(static_cast<i64>(asSigned(a))));
    EXPECT_EQ(from_unsigned<f32>(a), static_cast<f32>(static_cast<u64>(asUnsigned(a))));
  }
}

//===------------------------------------------------------------------------------------------------===//
// Floats
//===------------------------------------------------------------------------------------------------===//

constexpr f32 infinity = std::numeric_limits<f32>::infinity();
const f32 nan = std::numeric_limits<f32>::quiet_NaN();

TEST(PreludeConversions, ToIntegersTakeTheNearestThatThereIs) {
  EXPECT_EQ(to_signed<i32>(3e9f), 2147483647);
  EXPECT_EQ(to_signed<i32>(-3e9f), std::numeric_limits<i32>::min());
  EXPECT_EQ(to_signed<i32>(-2147483648.0f), std::numeric_limits<i32>::min());
  EXPECT_EQ(to_signed<i32>(2147483520.0f), 2147483520);
  EXPECT_EQ(to_signed<i32>(infinity), 2147483647);
  EXPECT_EQ(to_signed<i32>(-infinity), std::numeric_limits<i32>::min());
  EXPECT_EQ(to_signed<i32>(nan), 0);
  EXPECT_EQ(to_signed<i32>(-1.9f), -1);
  EXPECT_EQ(to_signed<i32>(to_bf16(-7.5f)), -7);
  EXPECT_EQ(to_signed<i64>(1e30f), std::numeric_limits<i64>::max());
  EXPECT_EQ(to_signed<i64>(-1e30f), std::numeric_limits<i64>::min());
  EXPECT_EQ(to_signed<i64>(4e9f), 4000000000LL);
  EXPECT_EQ(to_signed<i8>(200.0f), 127);
  EXPECT_EQ(to_signed<i8>(-200.0f), -128);
  EXPECT_EQ(to_unsigned<i32>(3e9f), static_cast<i32>(3000000000U));
  EXPECT_EQ(to_unsigned<i32>(1e10f), -1);
  EXPECT_EQ(to_unsigned<i32>(-5.0f), 0);
  EXPECT_EQ(to_unsigned<i32>(nan), 0);
  // -1 and 0 are the integers of one bit.
  EXPECT_TRUE(to_signed<bool>(-1.0f));
  EXPECT_TRUE(to_signed<bool>(-7.0f));
  EXPECT_FALSE(to_signed<bool>(-0.5f));
  EXPECT_FALSE(to_signed<bool>(5.0f));
  EXPECT_FALSE(to_signed<bool>(nan));
}

TEST(PreludeConversions, RoundToNearestEven) {
  EXPECT_EQ(to_f32(round_to<bf16>(1.00390625f)), 1.0f);      // a tie
  EXPECT_EQ(to_f32(round_to<bf16>(1.01171875f)), 1.015625f); // a tie
  EXPECT_EQ(to_f32(round_to<bf16>(3.4e38f)), infinity);
  EXPECT_TRUE(std::isnan(to_f32(round_to<bf16>(nan))));
  EXPECT_EQ(to_f32(round_to<f16>(65519.0f)), 65504.0f);
  EXPECT_EQ(to_f32(round_to<f16>(65520.0f)), infinity);
  EXPECT_EQ(round_to<f32>(f16{0x0001}), 0x1p-24f);
  std::mt19937 random(2);
  for (int i = 0; i < 1000; ++i) {
    Vector<f32, 4> x;
    for (int j = 0; j < 4; ++j)
      x[j] = std::uniform_real_distribution<f32>(-1e3f, 1e3f)(random);
    auto pairs = round_to<bf16>(x);
    auto halves = round_to<f16>(x);
    for (int j = 0; j < 4; ++j) {
      EXPECT_EQ(pairs[j].bits, to_bf16(x[j]).bits);
      EXPECT_EQ(halves[j].bits, to_f16(x[j]).bits);
    }
  }
}

TEST(PreludeFloats, ExtremaOfZerosAndNaN) {
  for (bool isSwapped : {false, true}) {
    auto of = [&](auto function, f32 a, f32 b) { return isSwapped ? function(b, a) : function(a, b); };
    auto low = [](f32 a, f32 b) { return minimum(a, b); };
    auto high = [](f32 a, f32 b) { return maximum(a, b); };
    auto smaller = [](f32 a, f32 b) { return smaller_number(a, b); };
    auto larger = [](f32 a, f32 b) { return larger_number(a, b); };
    EXPECT_TRUE(std::isnan(of(low, nan, 1.0f)));
    EXPECT_TRUE(std::isnan(of(high, nan, 1.0f)));
    EXPECT_EQ(of(smaller, nan, 1.0f), 1.0f);
    EXPECT_EQ(of(larger, nan, 1.0f), 1.0f);
    EXPECT_TRUE(std::signbit(of(low, 0.0f, -0.0f)));
    EXPECT_TRUE(std::signbit(of(smaller, 0.0f, -0.0f)));
    EXPECT_FALSE(std::signbit(of(high, 0.0f, -0.0f)));
    EXPECT_FALSE(std::signbit(of(larger, 0.0f, -0.0f)));
    EXPECT_EQ(of(low, -infinity, 2.0f), -infinity);
    EXPECT_EQ(of(high, infinity, 2.0f), infinity);
  }
}

TEST(PreludeFloats, ComparisonsOfNaN) {
  for (f32 other : {1.0f, nan, infinity}) {
    EXPECT_FALSE(compare_oeq(nan, other) || compare_ogt(nan, other) || compare_oge(nan, other) ||
                 compare_olt(nan, other) || compare_ole(nan, other) || compare_one(nan, other) ||
                 compare_ord(nan, other));
    EXPECT_TRUE(compare_ueq(nan, other) && compare_ugt_or_nan(nan, other) && compare_uge_or_nan(nan, other) &&
                compare_ult_or_nan(nan, other) && compare_ule_or_nan(nan, other) && compare_une(nan, other) &&
                compare_uno(nan, other));
  }
  for (f32 a : {-1.0f, 0.0f, 2.0f})
    for (f32 b : {-1.0f, -0.0f, 2.0f}) {
      EXPECT_EQ(compare_oeq(a, b), a == b);
      EXPECT_EQ(compare_ueq(a, b), a == b);
      EXPECT_EQ(compare_one(a, b), a != b);
      EXPECT_EQ(compare_une(a, b), a != b);
      EXPECT_EQ(compare_ogt(a, b), a > b);
      EXPECT_EQ(compare_ugt_or_nan(a, b), a > b);
      EXPECT_EQ(compare_oge(a, b), a >= b);
      EXPECT_EQ(compare_uge_or_nan(a, b), a >= b);
      EXPECT_EQ(compare_olt(a, b), a < b);
      EXPECT_EQ(compare_ult_or_nan(a, b), a < b);
      EXPECT_EQ(compare_ole(a, b), a <= b);
      EXPECT_EQ(compare_ule_or_nan(a, b), a <= b);
      EXPECT_TRUE(compare_ord(a, b));
      EXPECT_FALSE(compare_uno(a, b));
    }
}

struct Function {
  const char *name;
  f32 (*prelude)(f32);
  double (*exact)(double);
  f32 low, high;
};
const Function functions[] = {
    {"exp", exp, std::exp, -100, 89},
    {"exp2", exp2, std::exp2, -130, 128},
    {"expm1", expm1, std::expm1, -20, 89},
    {"log", log, std::log, 0, 1e30f},
    {"log2", log2, std::log2, 0, 1e30f},
    {"log10", log10, std::log10, 0, 1e30f},
    {"log1p", log1p, std::log1p, -1, 1e10f},
    {"sqrt", sqrt, std::sqrt, 0, 1e30f},
    {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0, 1e30f},
    {"sin", sin, std::sin, -1e6f, 1e6f},
    {"cos", cos, std::cos, -1e6f, 1e6f},
    {"tanh", tanh, std::tanh, -10, 10},
    {"erf", erf, std::erf, -5, 5},
    {"floor", floor, std::floor, -1e6f, 1e6f},
    {"ceil", ceil, std::ceil, -1e6f, 1e6f},
    {"trunc", trunc, std::trunc, -1e6f, 1e6f},
    {"round", round, std::round, -1e6f, 1e6f},
    {"roundeven", roundeven, std::nearbyint, -1e6f, 1e6f},
    {"abs", abs, std::fabs, -1e6f, 1e6f},
    {"negate", negate, [](double x) { return -x; }, -1e6f, 1e6f},
};

/// Both in units in the last place of f32; results below the normal numbers count as zero.
double unitsApart(f32 result, double exact) {
  if (std::isnan(exact) || std::isinf(static_cast<f32>(exact)))
    return (std::isnan(exact) ? std::isnan(result) : result == static_cast<f32>(exact)) ? 0 : 1e9;
  if (std::fabs(exact) < std::numeric_limits<f32>::min())
    return std::fabs(result) <= std::numeric_limits<f32>::min() ? 0 : 1e9;
  return std::fabs(result - exact) / std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
}

TEST(PreludeFunctions, AreWithinTwoUnitsInTheLastPlace) {
  std::mt19937 random(3);
  for (const Function &function : functions) {
    double worst = 0;
    auto check = [&](f32 x) { worst = std::max(worst, unitsApart(function.prelude(x), function.exact(x))); };
    for (int i = 0; i < 20000; ++i) {
      check(std::uniform_real_distribution<f32>(function.low, function.high)(random));
      check(std::uniform_real_distribution<f32>(std::max(function.low, -2.0f), 2.0f)(random));
    }
    for (f32 x : {0.0f, -0.0f, 0.5f, 1.5f, 2.5f, 1.0f, infinity, -infinity, nan, -3.0f, 1e30f})
      check(x);
    EXPECT_LE(worst, 2) << function.name;
  }
}

TEST(PreludeFunctions, PowerIsAsInC) {
  std::mt19937 random(4);
  double worst = 0;
  for (int i = 0; i < 20000; ++i) {
    f32 x = std::exp(std::uniform_real_distribution<f32>(-20, 20)(random));
    f32 y = std::uniform_real_distribution<f32>(-4, 4)(random);
    worst = std::max(worst, unitsApart(pow(x, y), std::pow(double(x), double(y))));
  }
  for (f32 x : {0.0f, -0.0f, 1.0f, -1.0f, -2.0f, infinity, -infinity, nan})
    for (f32 y : {0.0f, 1.0f, -1.0f, 2.0f, 3.0f, 0.5f, infinity, -infinity, nan})
      worst = std::max(worst, unitsApart(pow(x, y), std::pow(double(x), double(y))));
  EXPECT_LE(worst, 8);
}

//===------------------------------------------------------------------------------------------------===//
// Vectors
//===------------------------------------------------------------------------------------------------===//

TEST(PreludeVectors, FunctionsAreElementwise) {
  Vector<f32, 4> a = {{1, -2, 3, 0.5f}}, b = {{2, 2, -1, 4}};
  Vector<i32, 4> i = {{7, -7, 0, 9}}, j = {{2, 2, 0, -1}};
  auto sums = add(a, b);
  auto less = compare_olt(a, b);
  auto chosen = select(less, a, b);
  auto quotients = divide(i, j);
  auto fused = fma(a, b, a);
  auto numbers = from_unsigned<f32>(less);
  for (int at = 0; at < 4; ++at) {
    EXPECT_EQ(sums[at], a[at] + b[at]);
    EXPECT_EQ(less[at], a[at] < b[at]);
    EXPECT_EQ(chosen[at], std::min(a[at], b[at]));
    EXPECT_EQ(quotients[at], divide(i[at], j[at]));
    EXPECT_EQ(fused[at], std::fma(a[at], b[at], a[at]));
    EXPECT_EQ(numbers[at], a[at] < b[at] ? 1 : 0);
    EXPECT_EQ(select(true, a, b)[at], a[at]);
    EXPECT_EQ(select(false, a, b)[at], b[at]);
  }
  Vector<bf16, 2> halves = {{to_bf16(1.5f), to_bf16(-3)}};
  EXPECT_EQ(to_f32(multiply(halves, halves)[1]), 9);
  EXPECT_EQ(to_f32(maximum(halves, negate(halves))[1]), 3);
}

TEST(PreludeVectors, ElementsChangePlaces) {
  Vector<i32, 4> a = {{0, 1, 2, 3}};
  Vector<i32, 2> b = {{10, 11}};
  auto equal = [](auto vector, std::initializer_list<i32> expected) {
    return std::equal(std::begin(vector.elements), std::end(vector.elements), expected.begin(),
                      expected.end());
  };
  EXPECT_TRUE(equal(slice<1, 2>(a), {1, 2}));
  EXPECT_TRUE(equal(insert_slice<2>(b, a), {0, 1, 10, 11}));
  EXPECT_TRUE(equal(insert(a, 9, 3), {0, 1, 2, 9}));
  EXPECT_TRUE(equal(shuffle_elements<0, 4, 5, 3>(a, b), {0, 10, 11, 3}));
  EXPECT_TRUE(equal(splat<3>(5), {5, 5, 5}));
}

} // namespace
} // namespace prelude
