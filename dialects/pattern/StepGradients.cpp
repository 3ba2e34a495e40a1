// Vector-Jacobian products of the dialect's own step ops.
#include "dialects/pattern/StepDerivatives.h"

using namespace mlir;
using namespace linmu::pattern;

/// result[i] = sum over j of matrix[i, j] row[j], and result[j] = sum over i of matrix[i, j] column[i].
static Value alongRows(StepBuilder &builder, Value matrix, Value row) {
  return ReadTransposedOp::create(builder, matrix, row);
}
static Value alongColumns(StepBuilder &builder, Value matrix, Value column) {
  return ReadOp::create(builder, matrix, column);
}

SmallVector<Value> OuterOp::vjp(StepBuilder &builder, Value cotangent) {
  return {alongRows(builder, cotangent, getRow()), alongColumns(builder, cotangent, getColumn())};
}

SmallVector<Value> ReadOp::vjp(StepBuilder &builder, Value cotangent) {
  return {builder.outer(getKey(), cotangent), alongRows(builder, getState(), cotangent)};
}

SmallVector<Value> ReadTransposedOp::vjp(StepBuilder &builder, Value cotangent) {
  return {builder.outer(cotangent, getValue()), alongColumns(builder, getState(), cotangent)};
}

SmallVector<Value> DotOp::vjp(StepBuilder &builder, Value cotangent) {
  return {builder.multiply(cotangent, getRhs()), builder.multiply(cotangent, getLhs())};
}

SmallVector<Value> SumOp::vjp(StepBuilder &builder, Value cotangent) {
  auto source = cast<RankedTensorType>(getSource().getType());
  if (source.getRank() == 1)
    return {builder.spread(cotangent, source)};
  return {BroadcastOp::create(builder, source, cotangent, builder.getI64IntegerAttr(1 - getAxis()))};
}

SmallVector<Value> BroadcastOp::vjp(StepBuilder &builder, Value cotangent) {
  if (!getElementTypeOrSelf(getSource().getType()).isF32())
    return {Value()};
  if (!getAxis())
    return {builder.total(cotangent)};
  return {SumOp::create(builder, cotangent, 1 - *getAxis())};
}

SmallVector<Value> LagOp::vjp(StepBuilder &, Value) {
  // Another token gets it: only the surrounding loop knows which, and it never asks.
  llvm_unreachable("a lag is differentiated by the loop around it");
}

SmallVector<Value> AssumeOp::vjp(StepBuilder &, Value cotangent) { return {cotangent}; }

SmallVector<Value> SigmoidOp::vjp(StepBuilder &builder, Value cotangent) {
  return {derivative::ofSigmoid(builder, cotangent, getSource(), getResult())};
}

SmallVector<Value> SoftplusOp::vjp(StepBuilder &builder, Value cotangent) {
  return {derivative::ofSoftplus(builder, cotangent, getSource(), getResult())};
}
