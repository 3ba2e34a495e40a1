// exp, exp2, expm1, tanh and erf.
#include "compiler/target/cpu/FloatArithmetic.h"
#include "compiler/target/cpu/MathFunctions.h"

using namespace mlir;
using namespace linmu::cpu;
using Predicate = arith::CmpFPredicate;

/// Adding it rounds to the nearest integer, which then stands in the low bits with the exponent's bias.
static constexpr double magic = 12582912.0 + 127;

/// exp(r) = 1 + r + p(r) r^2 for |r| <= ln(2) / 2: Cephes' expf.
static Value exponentialTail(MathBuilder &builder, Value r) {
  return polynomial(
      builder, r,
      {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1});
}

/// exp(r); two steps of Horner's scheme lose less than 1 + (r + p r^2).
static Value exponentialNearZero(MathBuilder &builder, Value r) {
  Value one = builder.f32(1);
  return builder.fma(builder.fma(exponentialTail(builder, r), r, one), r, one);
}

namespace {
/// x = r + n ln 2, the power of two being 2^n, exactly 0 for n = -127.
struct Reduced {
  Value r;
  Value power;
  Value excess; ///< what n has beyond 127, the largest exponent; null where x is bounded
};
} // namespace

/// 2^n of n + magic.
static Value powerOfTwo(MathBuilder &builder, Value shifted) {
  return fromBits(builder, builder.make<arith::ShLIOp>(bitsOf(builder, shifted), builder.i32(23)));
}

/// Splits the exponent off what is n + magic after rounding.
static Reduced splitPower(MathBuilder &builder, Value shifted, bool isBounded) {
  Reduced result;
  if (!isBounded) {
    Value largest = builder.f32(magic + 127);
    Value held = builder.select(builder.compare(Predicate::OLT, shifted, largest), shifted, largest);
    result.excess = builder.subtract(shifted, held);
    shifted = held;
  }
  result.power = powerOfTwo(builder, shifted);
  return result;
}

/// By Cody and Waite: ln 2 in two parts, of which the first times n is exact.
static Reduced reduce(MathBuilder &builder, Value x, bool isBounded) {
  x = atLeast(builder, x, builder.f32(-88));
  if (!isBounded)
    x = atMost(builder, x, builder.f32(89));
  Value shifted = builder.fma(x, builder.f32(1.44269504088896341), builder.f32(magic));
  Value n = builder.subtract(shifted, builder.f32(magic));
  Reduced result = splitPower(builder, shifted, isBounded);
  result.r = builder.fma(n, builder.f32(2.12194440e-4), builder.fma(n, builder.f32(-0.693359375), x));
  return result;
}

/// `y` times the power of two. 2^128 is no number, so a factor of two is taken before.
static Value scaled(MathBuilder &builder, Value y, const Reduced &reduced) {
  if (reduced.excess)
    y = builder.fma(y, reduced.excess, y);
  return builder.multiply(y, reduced.power);
}

Value linmu::cpu::exponential(MathBuilder &builder, Value x, bool isBounded) {
  Reduced reduced = reduce(builder, x, isBounded);
  return scaled(builder, exponentialNearZero(builder, reduced.r), reduced);
}

Value linmu::cpu::exponentialBase2(MathBuilder &builder, Value x, bool isBounded) {
  x = atLeast(builder, x, builder.f32(-127));
  if (!isBounded)
    x = atMost(builder, x, builder.f32(129));
  Value shifted = builder.add(x, builder.f32(magic));
  Value n = builder.subtract(shifted, builder.f32(magic));
  Reduced reduced = splitPower(builder, shifted, isBounded);
  reduced.r = builder.multiply(builder.subtract(x, n), builder.f32(0.69314718055994531));
  return scaled(builder, exponentialNearZero(builder, reduced.r), reduced);
}

Value linmu::cpu::exponentialOfParts(MathBuilder &builder, Value r, Value whole) {
  whole = atMost(builder, atLeast(builder, whole, builder.f32(-127)), builder.f32(130));
  Reduced reduced = splitPower(builder, builder.add(whole, builder.f32(magic)), /*isBounded=*/false);
  return scaled(builder, exponentialNearZero(builder, r), reduced);
}

/// 2^n (exp(r) - 1) + (2^n - 1), each part of which is good to a rounding.
Value linmu::cpu::exponentialMinusOne(MathBuilder &builder, Value x) {
  Reduced reduced = reduce(builder, x, /*isBounded=*/false);
  Value square = builder.multiply(reduced.r, reduced.r);
  Value y = builder.fma(exponentialTail(builder, reduced.r), square, reduced.r);
  y = builder.fma(y, reduced.power, builder.subtract(reduced.power, builder.f32(1)));
  return copySign(builder, builder.fma(y, reduced.excess, y), x);
}

/// sign(x) (1 - 2 / (exp(2 |x|) + 1)), which is good to a rounding where gates saturate; near zero, where it
/// cancels, the odd polynomial of Cephes' tanhf.
Value linmu::cpu::hyperbolicTangent(MathBuilder &builder, Value x) {
  Value size = absolute(builder, x), square = builder.multiply(size, size);
  Value p = polynomial(
      builder, square,
      {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  Value small = builder.fma(builder.multiply(p, square), size, size);
  // Beyond 9.02 it is 1.
  Value held = atMost(builder, size, builder.f32(10));
  Value exponent = exponential(builder, builder.add(held, held), /*isBounded=*/true);
  Value rest = builder.divide(builder.f32(2), builder.add(exponent, builder.f32(1)));
  Value large = builder.subtract(builder.f32(1), rest);
  Value isSmall = builder.compare(Predicate::OLT, size, builder.f32(0.625));
  return copySign(builder, builder.select(isSmall, small, large), x);
}

/// 1 - exp(p(|x|)) beyond 475/512, an odd polynomial below: N. Juffa's minimax approximations, 1 ulp.
Value linmu::cpu::errorFunction(MathBuilder &builder, Value x) {
  Value size = absolute(builder, x), square = builder.multiply(x, x);
  auto line = [&](double a, double b) { return builder.fma(builder.f32(a), size, builder.f32(b)); };
  Value p = builder.fma(line(-1.72853470e-5, 3.83197126e-4), square, line(-3.88396438e-3, 2.42546219e-2));
  for (double coefficient : {-1.06777877e-1, -6.34846687e-1, -1.28717512e-1})
    p = builder.fma(p, size, builder.f32(coefficient));
  p = builder.fma(p, size, arith::NegFOp::create(builder, size));
  Value rest = exponential(builder, p, /*isBounded=*/true);
  Value large = copySign(builder, builder.subtract(builder.f32(1), rest), x);
  Value q = polynomial(
      builder, square,
      {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
  // Both addends have the sign of x, and the sum of zeros of one sign keeps it.
  Value small = builder.fma(q, x, x);
  return builder.select(builder.compare(Predicate::OGT, size, builder.f32(0.927734375)), large, small);
}
