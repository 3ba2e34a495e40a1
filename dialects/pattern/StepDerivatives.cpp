#include "dialects/pattern/StepDerivatives.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <numbers>

using namespace mlir;
using namespace linmu::pattern;

using Pair = std::pair<Value, Value>;

/// `value` where `condition` holds, else zero.
static Value where(StepBuilder &b, Value condition, Value value) {
  return b.select(condition, value, b.constant(value.getType(), 0));
}
static Value scaled(StepBuilder &b, Value value, double factor) {
  return b.multiply(value, b.constant(value.getType(), factor));
}
static Value one(StepBuilder &b, Value like) { return b.constant(like.getType(), 1); }

Value derivative::ofNegation(StepBuilder &b, Value c, Value, Value) { return b.negate(c); }
Value derivative::ofExp(StepBuilder &b, Value c, Value, Value y) { return b.multiply(c, y); }
Value derivative::ofExp2(StepBuilder &b, Value c, Value, Value y) {
  return scaled(b, b.multiply(c, y), std::numbers::ln2);
}
Value derivative::ofExpM1(StepBuilder &b, Value c, Value, Value y) {
  return b.multiply(c, b.add(y, one(b, y)));
}
Value derivative::ofLog(StepBuilder &b, Value c, Value x, Value) {
  return where(b, b.isPositive(x), b.divide(c, x));
}
Value derivative::ofLog1p(StepBuilder &b, Value c, Value x, Value) {
  Value number = b.add(x, one(b, x));
  return where(b, b.isPositive(number), b.divide(c, number));
}
Value derivative::ofLog2(StepBuilder &b, Value c, Value x, Value y) {
  return scaled(b, ofLog(b, c, x, y), 1 / std::numbers::ln2);
}
Value derivative::ofSqrt(StepBuilder &b, Value c, Value, Value y) {
  return where(b, b.isPositive(y), b.divide(scaled(b, c, 0.5), y));
}
Value derivative::ofRsqrt(StepBuilder &b, Value c, Value, Value y) {
  return scaled(b, b.multiply(c, b.multiply(y, b.multiply(y, y))), -0.5);
}
Value derivative::ofTanh(StepBuilder &b, Value c, Value, Value y) {
  return b.multiply(c, b.subtract(one(b, y), b.multiply(y, y)));
}
Value derivative::ofErf(StepBuilder &b, Value c, Value x, Value) {
  Value bell = math::ExpOp::create(b, b.negate(b.multiply(x, x)));
  return scaled(b, b.multiply(c, bell), 2 * std::numbers::inv_sqrtpi);
}
Value derivative::ofAbs(StepBuilder &b, Value c, Value x, Value) {
  Value zero = b.constant(x.getType(), 0);
  Value negative = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, zero);
  return b.subtract(where(b, b.isPositive(x), c), where(b, negative, c));
}
Value derivative::ofSin(StepBuilder &b, Value c, Value x, Value) {
  return b.multiply(c, math::CosOp::create(b, x));
}
Value derivative::ofCos(StepBuilder &b, Value c, Value x, Value) {
  return b.negate(b.multiply(c, math::SinOp::create(b, x)));
}
Value derivative::ofSigmoid(StepBuilder &b, Value c, Value, Value y) {
  return b.multiply(c, b.multiply(y, b.subtract(one(b, y), y)));
}
Value derivative::ofSoftplus(StepBuilder &b, Value c, Value x, Value) {
  return b.multiply(c, SigmoidOp::create(b, x.getType(), x));
}

Pair derivative::ofSum(StepBuilder &, Value c, Value, Value, Value) { return {c, c}; }
Pair derivative::ofDifference(StepBuilder &builder, Value c, Value, Value, Value) {
  return {c, builder.negate(c)};
}
Pair derivative::ofProduct(StepBuilder &builder, Value c, Value a, Value b, Value) {
  return {builder.multiply(c, b), builder.multiply(c, a)};
}
Pair derivative::ofQuotient(StepBuilder &builder, Value c, Value, Value b, Value y) {
  Value quotient = builder.divide(c, b);
  return {quotient, builder.negate(builder.multiply(quotient, y))};
}
/// To `b` where it alone is chosen.
static Pair ofChoice(StepBuilder &builder, Value c, Value a, Value b, arith::CmpFPredicate chosen) {
  Value condition = arith::CmpFOp::create(builder, chosen, b, a), zero = builder.constant(c.getType(), 0);
  return {builder.select(condition, zero, c), builder.select(condition, c, zero)};
}
Pair derivative::ofMaximum(StepBuilder &builder, Value c, Value a, Value b, Value) {
  return ofChoice(builder, c, a, b, arith::CmpFPredicate::OGT);
}
Pair derivative::ofMinimum(StepBuilder &builder, Value c, Value a, Value b, Value) {
  return ofChoice(builder, c, a, b, arith::CmpFPredicate::OLT);
}
Pair derivative::ofPower(StepBuilder &builder, Value c, Value a, Value b, Value y) {
  Value less = math::PowFOp::create(builder, a, builder.subtract(b, one(builder, b)));
  Value logarithm = where(builder, builder.isPositive(a), math::LogOp::create(builder, a));
  return {builder.multiply(c, builder.multiply(b, less)),
          builder.multiply(c, builder.multiply(y, logarithm))};
}
