#include "dialects/pattern/StepBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace linmu::pattern;

static int64_t rankOf(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor ? tensor.getRank() : 0;
}

Value StepBuilder::constant(Type type, double value) {
  TypedAttr number = getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    number = DenseElementsAttr::get(tensor, Attribute(number));
  return arith::ConstantOp::create(*this, number);
}

void StepBuilder::spreadBoth(Value &a, Value &b) {
  if (rankOf(a) < rankOf(b))
    a = spread(a, b.getType());
  else
    b = spread(b, a.getType());
}

Value StepBuilder::add(Value a, Value b) {
  spreadBoth(a, b);
  return arith::AddFOp::create(*this, a, b);
}
Value StepBuilder::subtract(Value a, Value b) {
  spreadBoth(a, b);
  return arith::SubFOp::create(*this, a, b);
}
Value StepBuilder::multiply(Value a, Value b) {
  spreadBoth(a, b);
  return arith::MulFOp::create(*this, a, b);
}
Value StepBuilder::divide(Value a, Value b) {
  spreadBoth(a, b);
  return arith::DivFOp::create(*this, a, b);
}
Value StepBuilder::negate(Value a) { return arith::NegFOp::create(*this, a); }
Value StepBuilder::select(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(*this, condition, yes, no);
}
Value StepBuilder::isPositive(Value a) {
  return arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, a, constant(a.getType(), 0));
}

Value StepBuilder::spread(Value scalar, Type type) {
  if (scalar.getType() == type)
    return scalar;
  return BroadcastOp::create(*this, type, scalar, IntegerAttr());
}

Value StepBuilder::dot(Value a, Value b) {
  if (rankOf(a) == 0)
    return multiply(a, b);
  return DotOp::create(*this, getF32Type(), a, b);
}

Value StepBuilder::total(Value a) {
  while (rankOf(a) > 0)
    a = SumOp::create(*this, a, rankOf(a) - 1);
  return a;
}

Value StepBuilder::outer(Value column, Value row) {
  if (rankOf(column) == 1 && rankOf(row) == 1)
    return OuterOp::create(*this, column, row);
  return multiply(column, row);
}
