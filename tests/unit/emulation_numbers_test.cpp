// Conversions against the compiler's own _Float16 and __bf16, and tf32 against its definition.
#include "compiler/target/cuda/emulation/Numbers.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace linmu::emulation {
namespace {

template <class T> std::uint16_t bitsOfHalf(T x) {
  std::uint16_t bits;
  __builtin_memcpy(&bits, &x, 2);
  return bits;
}

/// Floats of every exponent, exact values and halves between neighbours among them.
template <class Check> void forManyFloats(Check check) {
  std::mt19937 random(41);
  for (std::uint32_t exponent = 0; exponent < 256; ++exponent)
    for (int round = 0; round < 400; ++round) {
      std::uint32_t fraction = random() & 0x7fffff;
      if (round % 4 == 1)
        fraction &= 0x7ff000; // ties for f16
      if (round % 4 == 2)
        fraction = (fraction & 0x7f0000) | 0x8000; // ties for bf16
      if (round % 4 == 3)
        fraction &= 0x7fe000;
      check(floatOf((random() & 0x80000000) | exponent << 23 | fraction));
    }
}

TEST(Numbers, HalvesBecomeFloatsExactly) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    _Float16 half;
    auto narrow = static_cast<std::uint16_t>(bits);
    __builtin_memcpy(&half, &narrow, 2);
    auto expected = static_cast<float>(half);
    if (!std::isnan(expected)) {
      EXPECT_EQ(bitsOf(fromF16(narrow)), bitsOf(expected));
      EXPECT_EQ(toF16(expected), narrow);
      EXPECT_EQ(bitsOf(fromBF16(narrow)) >> 16, bits);
    } else {
      EXPECT_TRUE(std::isnan(fromF16(narrow)));
    }
  }
}

TEST(Numbers, FloatsAreRoundedToNearestEven) {
  forManyFloats([](float x) {
    if (std::isnan(x)) {
      EXPECT_EQ(toF16(x), 0x7fff);
      EXPECT_EQ(toBF16(x), 0x7fff);
      return;
    }
    EXPECT_EQ(toF16(x), bitsOfHalf(static_cast<_Float16>(x))) << x;
    // The nearer of the two neighbours, the even one of a tie.
    auto down = static_cast<std::uint16_t>(bitsOf(x) >> 16);
    std::uint32_t rest = bitsOf(x) & 0xffff;
    bool up = rest > 0x8000 || (rest == 0x8000 && (down & 1) != 0);
    EXPECT_EQ(toBF16(x), static_cast<std::uint16_t>(down + up)) << x;
  });
}

TEST(Numbers, TF32IsRoundedToNearestAwayFromZero) {
  forManyFloats([](float x) {
    if (!std::isfinite(x) || std::fabs(x) > 3e38F)
      return;
    float rounded = floatOf(toTF32(x));
    EXPECT_EQ(bitsOf(rounded) & 0x1fff, 0U);
    float unit = floatOf((bitsOf(x) & 0x7f800000)) * 0x1p-10F;
    if (std::fabs(x) > 1e-30F) {
      EXPECT_LE(std::fabs(rounded - x), unit / 2) << x;
      if (std::fabs(rounded - x) == unit / 2) {
        EXPECT_GT(std::fabs(rounded), std::fabs(x));
      }
    }
  });
}

TEST(Numbers, ExponentialsFlushWhatIsSubnormal) {
  EXPECT_EQ(exp2Flushed(3), 8);
  EXPECT_EQ(exp2Flushed(-126), 0x1p-126F);
  EXPECT_EQ(exp2Flushed(-127), 0);
  EXPECT_EQ(exp2Flushed(-1e30F), 0);
  EXPECT_EQ(exp2Flushed(0x1p-130F), 1);
  EXPECT_TRUE(std::isnan(exp2Flushed(NAN)));
}

} // namespace
} // namespace linmu::emulation
