#include "compiler/derive/window_score.h"
#include "compiler/tile/tile_conversions.h"
#include <limits>

using namespace mlir;
using namespace linmu;

static Value isEqual(TileBuilder &builder, Value a, double b) {
  return arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, a, builder.splat(a.getType(), b));
}

PairCoordinates linmu::coordinatesOf(TileBuilder &builder, const WindowPositions &positions, int64_t axis,
                                     ArrayRef<int64_t> shape) {
  PairCoordinates result;
  for (Value coordinate : positions.coordinates)
    result.push_back({builder.along(coordinate, axis, shape), true});
  return result;
}

FailureOr<Value> linmu::applyToPairs(TileBuilder &builder, Block &region, Value head, Value scores,
                                     ArrayRef<StepTile> query, ArrayRef<StepTile> key, Value more) {
  Location location = builder.getLoc();
  StepEmitter step(builder, cast<RankedTensorType>(scores.getType()).getShape(), nullptr);
  step.bind(region.getArgument(0), {scores, true});
  for (unsigned axis = 0; axis < 3; ++axis) {
    step.bind(region.getArgument(1 + axis), query[axis]);
    step.bind(region.getArgument(4 + axis), key[axis]);
  }
  step.bind(region.getArgument(7), {toI32(builder, head), false});
  if (more)
    step.bind(region.getArgument(8), {more, true});
  if (failed(step.emit(region)))
    return failure();
  builder.setLoc(location);
  return step.rows(cast<pattern::YieldOp>(region.getTerminator()).getOutputs()[0]);
}

Value linmu::offsetOf(TileBuilder &builder, Value largest) {
  Value none = isEqual(builder, largest, -std::numeric_limits<double>::infinity());
  return builder.select(none, builder.splat(largest.getType(), 0), largest);
}

Value linmu::inverseOf(TileBuilder &builder, Value total) {
  Value quotient = builder.divide(builder.splat(total.getType(), 1), total);
  return builder.select(isEqual(builder, total, 0), builder.splat(total.getType(), 0), quotient);
}

LogicalResult linmu::requireScalars(Region &region) {
  for (Block &block : region)
    for (Operation &inner : block)
      for (Type type : llvm::concat<const Type>(llvm::to_vector(inner.getOperandTypes()),
                                                llvm::to_vector(inner.getResultTypes())))
        if (isa<RankedTensorType>(type))
          return inner.emitOpError("requires scalars in a score region, got ") << type;
  return success();
}
