#include "compiler/autodiff/StepGradient.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

void StepGradient::add(Value value, Value cotangent) {
  // Whole numbers have none, and neither have constants.
  if (!cotangent || !getElementTypeOrSelf(value.getType()).isF32())
    return;
  Value &sum = gradients_[value];
  builder_.accumulate(sum, cotangent);
}

void StepGradient::run(ArrayRef<Operation *> ops, OnLag onLag) {
  for (Operation *op : llvm::reverse(ops)) {
    Value cotangent = of(op->getResult(0));
    if (!cotangent)
      continue;
    builder_.setLoc(op->getLoc());
    if (auto lag = dyn_cast<LagOp>(op)) {
      if (Value otherwise = onLag(lag, cotangent))
        add(lag.getOtherwise(), otherwise);
      continue;
    }
    SmallVector<Value> gradients = cast<StepOp>(op).vjp(builder_, cotangent);
    for (auto [operand, gradient] : llvm::zip(op->getOperands(), gradients))
      add(operand, gradient);
  }
}
