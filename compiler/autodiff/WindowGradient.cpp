// The gradient of windows is an op of its own, `pattern.window_adjoint`, which takes the score's derivative
// with it.
#include "compiler/autodiff/Gradients.h"
#include "compiler/autodiff/LoopBuilder.h"
#include "compiler/autodiff/StepGradient.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

/// Of (score, query t, y, x, key t, y, x, head, df), where df is the gradient of what `score` yields, to that
/// of the score: the ops of `score`, and what they send back.
static void buildScoreGradient(Region &score, Region &gradient) {
  Block &from = score.front(), &to = gradient.emplaceBlock();
  Location location = score.getLoc();
  IRMapping mapping;
  for (BlockArgument argument : from.getArguments())
    mapping.map(argument, to.addArgument(argument.getType(), argument.getLoc()));
  StepBuilder step(location, score.getContext());
  step.setInsertionPointToEnd(&to);
  Value given = to.addArgument(step.getF32Type(), location);
  SmallVector<Operation *> ops;
  for (Operation &op : from.without_terminator())
    ops.push_back(step.clone(op, mapping));
  StepGradient back(step);
  back.add(mapping.lookupOrDefault(cast<YieldOp>(from.getTerminator()).getOutputs()[0]), given);
  back.run(ops, [](LagOp, Value) -> Value { llvm_unreachable("no token operand stands in a score"); });
  step.setLoc(location);
  Value result = back.of(mapping.lookup(from.getArgument(0)));
  YieldOp::create(step, result ? result : step.constant(step.getF32Type(), 0), ValueRange{});
}

LogicalResult autodiff::differentiateWindows(WindowAttentionOp op, Cotangents &cotangents, OpBuilder &at) {
  std::array<Value, 3> operands{op.getQuery(), op.getKey(), op.getValue()};
  SmallVector<Type> types;
  for (Value operand : operands)
    types.push_back(cast<RankedTensorType>(operand.getType()).clone(at.getF32Type()));
  auto adjoint = WindowAdjointOp::create(at, op.getLoc(), types, op.getQuery(), op.getKey(), op.getValue(),
                                         cotangents.given(at, op.getResult()), op.getMedia(), op.getWindow(),
                                         op.getShift(), op.getScale(), op.getJoinWrapped());
  if (!op.getScore().empty()) {
    IRMapping mapping;
    op.getScore().cloneInto(&adjoint.getScore(), mapping);
    buildScoreGradient(op.getScore(), adjoint.getScoreGradient());
  }
  for (auto [operand, gradient] : llvm::zip_equal(operands, adjoint.getResults()))
    cotangents.add(operand, gradient);
  return success();
}
