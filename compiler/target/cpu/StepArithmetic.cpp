#include "compiler/target/cpu/StepArithmetic.h"
#include "compiler/target/cpu/FloatArithmetic.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include <limits>

using namespace mlir;
using namespace linmu::cpu;
using Compare = arith::CmpIPredicate;
using CompareFloats = arith::CmpFPredicate;

static constexpr int32_t smallest = std::numeric_limits<int32_t>::min();

static bool isBoolean(Value value) { return getElementTypeOrSelf(value.getType()).isInteger(1); }

static bool isConstantBeside(Value value, std::initializer_list<int64_t> numbers) {
  APInt constant;
  return matchPattern(value, m_ConstantInt(&constant)) &&
         !llvm::is_contained(numbers, constant.getSExtValue());
}

static Value negated(MathBuilder &builder, Value condition) {
  return builder.make<arith::XOrIOp>(condition, builder.i1(true));
}

Value linmu::cpu::quotient(MathBuilder &builder, Value dividend, Value divisor) {
  // An i1 is 0 or -1, and so is the quotient.
  if (isBoolean(dividend))
    return builder.either(dividend, negated(builder, divisor));
  if (isConstantBeside(divisor, {0, -1}))
    return {};
  Value minusOne = builder.i32(-1), one = builder.i32(1);
  Value isZero = builder.compare(Compare::eq, divisor, builder.i32(0));
  Value overflows = builder.both(builder.compare(Compare::eq, dividend, builder.i32(smallest)),
                                 builder.compare(Compare::eq, divisor, minusOne));
  Value safe = builder.select(builder.either(isZero, overflows), one, divisor);
  return builder.select(isZero, minusOne, builder.make<arith::DivSIOp>(dividend, safe));
}

Value linmu::cpu::remainder(MathBuilder &builder, Value dividend, Value divisor) {
  if (isBoolean(dividend))
    return builder.both(dividend, negated(builder, divisor));
  if (isConstantBeside(divisor, {0, -1}))
    return {};
  Value one = builder.i32(1);
  Value isZero = builder.compare(Compare::eq, divisor, builder.i32(0));
  // By -1 as by 1, which leaves nothing either.
  Value isUnit = builder.compare(Compare::eq, divisor, builder.i32(-1));
  Value safe = builder.select(builder.either(isZero, isUnit), one, divisor);
  return builder.select(isZero, dividend, builder.make<arith::RemSIOp>(dividend, safe));
}

Value linmu::cpu::truncated(MathBuilder &builder, Value x, Type integer) {
  if (integer.isInteger(1))
    return builder.compare(CompareFloats::OLE, x, builder.f32(-1));
  Value limit = builder.f32(0x1p31), zero = builder.f32(0);
  Value isInside = builder.compare(CompareFloats::OLT, absolute(builder, x), limit);
  Value inside = builder.convert<arith::FPToSIOp>(builder.select(isInside, x, zero), integer);
  Value isAbove = builder.compare(CompareFloats::OGE, x, limit);
  Value isBelow = builder.compare(CompareFloats::OLE, x, builder.f32(-0x1p31));
  Value result = builder.select(isAbove, builder.i32(std::numeric_limits<int32_t>::max()), inside);
  return builder.select(isBelow, builder.i32(smallest), result);
}

std::optional<APFloat> linmu::cpu::floatConstant(Value value) {
  APFloat number(0.0f);
  return matchPattern(value, m_ConstantFloat(&number)) ? std::optional(number) : std::nullopt;
}

/// A minimum or maximum with a constant is one comparison: a NaN compares as neither and stays. Zeros of both
/// signs compare as equal, so a bound of zero must be the one that the op prefers less.
static Value extremumWithConstant(MathBuilder &builder, Value x, Value bound, bool isMinimum,
                                  bool ofNumbers) {
  std::optional<APFloat> constant = floatConstant(bound);
  if (!constant || constant->isNaN() || (constant->isZero() && constant->isNegative() == isMinimum))
    return {};
  // Where a NaN is passed over, what does not compare is the bound.
  if (ofNumbers)
    return builder.select(builder.compare(isMinimum ? CompareFloats::OLE : CompareFloats::OGE, x, bound), x,
                          bound);
  return builder.select(builder.compare(isMinimum ? CompareFloats::OLT : CompareFloats::OGT, bound, x), bound,
                        x);
}

Value linmu::cpu::extremum(MathBuilder &builder, Value lhs, Value rhs, bool isMinimum, bool ofNumbers) {
  if (Value result = extremumWithConstant(builder, lhs, rhs, isMinimum, ofNumbers))
    return result;
  auto predicate = isMinimum ? CompareFloats::OLT : CompareFloats::OGT;
  // Two choices that differ for zeros of unlike signs only, and for NaN.
  Value first = bitsOf(builder, builder.select(builder.compare(predicate, lhs, rhs), lhs, rhs));
  Value second = bitsOf(builder, builder.select(builder.compare(predicate, rhs, lhs), rhs, lhs));
  Value result = fromBits(builder, isMinimum ? builder.either(first, second) : builder.both(first, second));
  if (!ofNumbers)
    return builder.select(builder.compare(CompareFloats::UNO, lhs, rhs), builder.add(lhs, rhs), result);
  result = builder.select(builder.compare(CompareFloats::UNO, lhs, lhs), rhs, result);
  return builder.select(builder.compare(CompareFloats::UNO, rhs, rhs), lhs, result);
}
