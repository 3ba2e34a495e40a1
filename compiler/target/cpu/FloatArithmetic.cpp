#include "compiler/target/cpu/FloatArithmetic.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace linmu;
using cpu::MathBuilder;
using Predicate = arith::CmpFPredicate;

Value cpu::absolute(MathBuilder &builder, Value x) { return math::AbsFOp::create(builder, x); }

Value cpu::copySign(MathBuilder &builder, Value magnitude, Value sign) {
  return math::CopySignOp::create(builder, magnitude, sign);
}

Value cpu::atLeast(MathBuilder &builder, Value x, Value bound) {
  return builder.select(builder.compare(Predicate::OLT, x, bound), bound, x);
}

Value cpu::atMost(MathBuilder &builder, Value x, Value bound) {
  return builder.select(builder.compare(Predicate::OGT, x, bound), bound, x);
}

Value cpu::bitsOf(MathBuilder &builder, Value x) {
  return builder.convert<arith::BitcastOp>(x, builder.getI32Type());
}

Value cpu::fromBits(MathBuilder &builder, Value x) {
  return builder.convert<arith::BitcastOp>(x, builder.getF32Type());
}

Value cpu::polynomial(MathBuilder &builder, Value x, std::initializer_list<double> coefficients) {
  bool isDouble = getElementTypeOrSelf(x.getType()).isF64();
  auto number = [&](double value) { return isDouble ? builder.f64(value) : builder.f32(value); };
  Value sum = number(*coefficients.begin());
  for (double coefficient : llvm::drop_begin(coefficients))
    sum = builder.fma(sum, x, number(coefficient));
  return sum;
}
