// log, log2 and log1p.
#include "compiler/target/cpu/FloatArithmetic.h"
#include "compiler/target/cpu/MathFunctions.h"
#include <limits>

using namespace mlir;
using namespace linmu::cpu;
using Predicate = arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static constexpr int32_t twoThirds = 0x3f2aaaab, exponentBits = int32_t(0xff800000);

/// log(1 + m) for |m| <= 1/3: N. Juffa's minimax approximation, 0.9 ulp.
static Value logarithmNearOne(MathBuilder &builder, Value m) {
  Value square = builder.multiply(m, m);
  Value even = polynomial(builder, square, {-0.130310059, -0.121483512, -0.166846126, -0.249996200});
  Value odd = polynomial(builder, square, {0.140869141, 0.139814854, 0.200120345});
  Value p = builder.fma(odd, m, even);
  p = builder.fma(builder.fma(p, m, builder.f32(0.333331972)), m, builder.f32(-0.5));
  return builder.fma(p, square, m);
}

/// The e 2^23 for which x 2^-e is in [2/3, 4/3).
static Value exponentOf(MathBuilder &builder, Value x) {
  return builder.both(builder.make<arith::SubIOp>(bitsOf(builder, x), builder.i32(twoThirds)),
                      builder.i32(exponentBits));
}

/// x 2^-e.
static Value withoutExponent(MathBuilder &builder, Value x, Value exponent) {
  return fromBits(builder, builder.make<arith::SubIOp>(bitsOf(builder, x), exponent));
}

std::pair<Value, Value> linmu::cpu::splitExponent(MathBuilder &builder, Value x) {
  Value exponent = exponentOf(builder, x);
  return {withoutExponent(builder, x, exponent), exponent};
}

/// `y` for x > pole; the logarithm's values at the pole, below it, at infinity and of NaN.
static Value withEnds(MathBuilder &builder, Value x, Value y, double pole) {
  Value isPole = builder.compare(Predicate::OEQ, x, builder.f32(pole));
  Value outside =
      builder.select(isPole, builder.f32(-infinity), builder.f32(std::numeric_limits<double>::quiet_NaN()));
  y = builder.select(builder.compare(Predicate::OGT, x, builder.f32(pole)), y, outside);
  return builder.select(builder.compare(Predicate::OLT, x, builder.f32(infinity)), y, x);
}

/// `exponent` is e 2^23.
static Value addExponent(MathBuilder &builder, Value exponent, Value y) {
  Value e = builder.convert<arith::SIToFPOp>(exponent, builder.getF32Type());
  return builder.fma(e, builder.f32(0.69314718055994531 * 0x1p-23), y);
}

Value linmu::cpu::logarithm(MathBuilder &builder, Value x) {
  auto [m, exponent] = splitExponent(builder, x);
  Value y = logarithmNearOne(builder, builder.subtract(m, builder.f32(1)));
  return withEnds(builder, x, addExponent(builder, exponent, y), 0);
}

Value linmu::cpu::logarithmBase2(MathBuilder &builder, Value x) {
  auto [m, exponent] = splitExponent(builder, x);
  Value y = logarithmNearOne(builder, builder.subtract(m, builder.f32(1)));
  Value e = builder.convert<arith::SIToFPOp>(exponent, builder.getF32Type());
  e = builder.multiply(e, builder.f32(0x1p-23));
  // log2(e) in two parts.
  y = builder.fma(y, builder.f32(1.44269502162933349609), builder.fma(y, builder.f32(1.925963033500e-8), e));
  return withEnds(builder, x, y, 0);
}

/// With e the exponent of 1 + x: log(1 + m) + e ln 2, m = x 2^-e + (2^-e - 1), where only the last sum is
/// rounded. 2^-e is built as a quarter of 2^(2 - e), since 2^-128 is no normal number.
Value linmu::cpu::logarithmOfOnePlus(MathBuilder &builder, Value x, bool isNonnegative) {
  Value exponent = exponentOf(builder, builder.add(x, builder.f32(1)));
  Value four = fromBits(builder, builder.make<arith::SubIOp>(builder.i32(0x40800000), exponent));
  Value rest = builder.fma(builder.f32(0.25), four, builder.f32(-1));
  Value m = builder.add(withoutExponent(builder, x, exponent), rest);
  Value y = addExponent(builder, exponent, logarithmNearOne(builder, m));
  if (isNonnegative)
    return builder.select(builder.compare(Predicate::OLT, x, builder.f32(infinity)), y, x);
  return copySign(builder, withEnds(builder, x, y, -1), x);
}
