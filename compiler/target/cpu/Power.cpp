// pow: exp2(y log2 |x|) with the logarithm in f64, and the cases of C's pow.
#include "compiler/target/cpu/FloatArithmetic.h"
#include "compiler/target/cpu/MathFunctions.h"
#include <limits>

using namespace mlir;
using namespace linmu::cpu;
using Predicate = arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// log2(size) for size >= 0 in f64, to 35 bits: of size = m 2^e, 2 artanh((m - 1) / (m + 1)) / ln 2 + e.
static Value wideLogarithm(MathBuilder &builder, Value size) {
  auto [m, exponent] = splitExponent(builder, size);
  Type f64 = builder.getF64Type();
  Value wide = builder.convert<arith::ExtFOp>(m, f64);
  Value s = builder.divide(builder.subtract(wide, builder.f64(1)), builder.add(wide, builder.f64(1)));
  Value square = builder.multiply(s, s);
  Value series = polynomial(builder, square, {1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1});
  series = builder.multiply(builder.multiply(s, builder.f64(2.8853900817779268)), series);
  Value e = builder.convert<arith::SIToFPOp>(exponent, f64);
  Value result = builder.fma(e, builder.f64(0x1p-23), series);
  Value isZero = builder.compare(Predicate::OEQ, size, builder.f32(0));
  result = builder.select(isZero, builder.f64(-infinity), result);
  Value isFinite = builder.compare(Predicate::OLT, size, builder.f32(infinity));
  return builder.select(isFinite, result, builder.convert<arith::ExtFOp>(size, f64)); // infinity, NaN
}

/// size^y for size >= 0, as the logarithm has it.
static Value powerOfSize(MathBuilder &builder, Value size, Value y) {
  Type f32 = builder.getF32Type(), f64 = builder.getF64Type();
  Value scaled = builder.multiply(builder.convert<arith::ExtFOp>(y, f64), wideLogarithm(builder, size));
  scaled = atMost(builder, atLeast(builder, scaled, builder.f64(-151)), builder.f64(130));
  constexpr double magic = 0x1.8p52;
  Value whole = builder.subtract(builder.add(scaled, builder.f64(magic)), builder.f64(magic));
  Value rest = builder.multiply(builder.subtract(scaled, whole), builder.f64(0.69314718055994531));
  return exponentialOfParts(builder, builder.convert<arith::TruncFOp>(rest, f32),
                            builder.convert<arith::TruncFOp>(whole, f32));
}

/// Whether y is a whole number, and whether it is an odd one. Beyond 2^24 and at infinity all are even.
static std::pair<Value, Value> parityOf(MathBuilder &builder, Value y) {
  Value isLarge = builder.compare(Predicate::OGE, absolute(builder, y), builder.f32(0x1p24));
  Value small = builder.compare(Predicate::OLT, absolute(builder, y), builder.f32(0x1p24));
  Value held = builder.select(small, y, builder.f32(0.5)); // NaN and what is large
  Value whole = builder.convert<arith::FPToSIOp>(held, builder.getI32Type());
  Value isWhole =
      builder.compare(Predicate::OEQ, builder.convert<arith::SIToFPOp>(whole, builder.getF32Type()), held);
  Value isOdd =
      builder.compare(arith::CmpIPredicate::ne, builder.both(whole, builder.i32(1)), builder.i32(0));
  return {builder.either(isWhole, isLarge), builder.both(isWhole, isOdd)};
}

Value linmu::cpu::power(MathBuilder &builder, Value x, Value y) {
  Value size = absolute(builder, x), zero = builder.f32(0), one = builder.f32(1);
  Value result = powerOfSize(builder, size, y);
  // 0 infinity is 0 for a base of one, also for -1.
  Value isInfinite = builder.compare(Predicate::OEQ, absolute(builder, y), builder.f32(infinity));
  Value isUnit = builder.compare(Predicate::OEQ, size, one);
  result = builder.select(builder.both(isInfinite, isUnit), one, result);
  auto [isWhole, isOdd] = parityOf(builder, y);
  // The sign bit of x, so that -0 has it.
  Value sign = builder.both(bitsOf(builder, x), builder.i32(std::numeric_limits<int32_t>::min()));
  sign = builder.select(isOdd, sign, builder.i32(0));
  result = fromBits(builder, builder.either(bitsOf(builder, result), sign));
  Value isNegative = builder.both(builder.compare(Predicate::OLT, x, zero),
                                  builder.compare(Predicate::OGT, x, builder.f32(-infinity)));
  Value isUndefined = builder.both(isNegative, builder.make<arith::XOrIOp>(isWhole, builder.i1(true)));
  result = builder.select(isUndefined, builder.f32(std::numeric_limits<double>::quiet_NaN()), result);
  Value isOne =
      builder.either(builder.compare(Predicate::OEQ, x, one), builder.compare(Predicate::OEQ, y, zero));
  return builder.select(isOne, one, result);
}
