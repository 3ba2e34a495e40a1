// Verifiers of ops on tiles: shapes against each other.
#include "dialects/tile/TileShapes.h"

using namespace mlir;
using namespace linmu::tile;

LogicalResult CoordinateOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getResult().getType());
  if (!type || !type.getElementType().isInteger(32))
    return emitOpError("requires a tile of i32, got ") << getResult().getType();
  if (int64_t(getAxis()) < 0 || int64_t(getAxis()) >= type.getRank())
    return emitOpError("requires axis to be in [0, ") << type.getRank() << "), got " << int64_t(getAxis());
  return success();
}

LogicalResult BroadcastOp::verify() {
  SmallVector<int64_t> source = shapeOf(getSource()), result = shapeOf(getResult());
  if (getElementTypeOrSelf(getSource().getType()) != getElementTypeOrSelf(getResult().getType()))
    return emitOpError("requires equal element types, got ")
           << getSource().getType() << " and " << getResult().getType();
  if (source.empty())
    return getAxis() ? emitOpError("requires no axis for a scalar") : success();
  if (!getAxis() || int64_t(*getAxis()) < 0 || *getAxis() > 1 || result.size() != 2 || source.size() != 1)
    return emitOpError("requires a rank-1 source along axis 0 or 1 of a matrix, got ")
           << getSource().getType() << " to " << getResult().getType();
  if (result[*getAxis()] != source[0])
    return emitOpError("requires axis ")
           << *getAxis() << " of the result to have " << source[0] << " elements, got " << result[*getAxis()];
  return success();
}

LogicalResult ExtractOp::verify() {
  SmallVector<int64_t> source = shapeOf(getSource());
  if (source.empty())
    return emitOpError("requires a tile, got ") << getSource().getType();
  return expectShape(*this, "result", getResult(), ArrayRef(source).drop_front());
}

LogicalResult TransposeOp::verify() {
  SmallVector<int64_t> source = shapeOf(getSource());
  if (source.size() != 2)
    return emitOpError("requires a matrix, got ") << getSource().getType();
  return expectShape(*this, "result", getResult(), {source[1], source[0]});
}

LogicalResult DotOp::verify() {
  SmallVector<int64_t> lhs = shapeOf(getLhs()), rhs = shapeOf(getRhs());
  if (getTransposeLhs())
    std::swap(lhs[0], lhs[1]);
  if (getTransposeRhs())
    std::swap(rhs[0], rhs[1]);
  if (getElementTypeOrSelf(getLhs()) != getElementTypeOrSelf(getRhs()))
    return emitOpError("requires operands of one element type, got ")
           << getElementTypeOrSelf(getLhs()) << " and " << getElementTypeOrSelf(getRhs());
  if (lhs[1] != rhs[0])
    return emitOpError("requires equal contracted extents, got ") << lhs[1] << " and " << rhs[0];
  if (getInit() && failed(expectShape(*this, "init", getInit(), {lhs[0], rhs[1]})))
    return failure();
  if (getTriangle() == Triangle::lhs_lower && lhs[0] != lhs[1])
    return emitOpError("requires a square lhs for lhs_lower, got ") << lhs[0] << " by " << lhs[1];
  return expectShape(*this, "result", getResult(), {lhs[0], rhs[1]});
}

LogicalResult ReduceOp::verify() {
  SmallVector<int64_t> source = shapeOf(getSource());
  if (int64_t(getAxis()) < 0 || getAxis() >= source.size())
    return emitOpError("requires axis to be in [0, ") << source.size() << "), got " << int64_t(getAxis());
  source.erase(source.begin() + getAxis());
  return expectShape(*this, "result", getResult(), source);
}

LogicalResult SolveOp::verify() {
  size_t count = getValues().size();
  if (count == 0 || getSystems().size() != count * count || getSolutions().size() != count)
    return emitOpError("requires m values, m * m systems and m solutions, got ")
           << count << ", " << getSystems().size() << " and " << getSolutions().size();
  SmallVector<int64_t> shape = shapeOf(getValues().front());
  for (Value value : getValues())
    if (failed(expectShape(*this, "values", value, shape)))
      return failure();
  for (Value system : getSystems())
    if (failed(expectShape(*this, "systems", system, {shape[0], shape[0]})))
      return failure();
  for (Value solution : getSolutions())
    if (failed(expectShape(*this, "solutions", solution, shape)))
      return failure();
  return success();
}

LogicalResult DiagonalInversesOp::verify() {
  ArrayRef<int64_t> system = getSystem().getType().getShape(), result = getInverses().getType().getShape();
  if (system[0] != system[1] || result[0] != system[0] || system[0] % result[1] != 0)
    return emitOpError(
               "requires a square system and as many rows of the result, whose columns divide them, got ")
           << getSystem().getType() << " and " << getInverses().getType();
  return success();
}

LogicalResult InverseOp::verify() {
  size_t count = 0;
  while (count * count < getSystems().size())
    ++count;
  if (count == 0 || count * count != getSystems().size() || getInverses().size() != getSystems().size())
    return emitOpError("requires m * m systems and as many results, got ")
           << getSystems().size() << " and " << getInverses().size();
  int64_t rows = shapeOf(getSystems().front())[0];
  for (Value system : getSystems())
    if (failed(expectShape(*this, "systems", system, {rows, rows})))
      return failure();
  for (Value inverse : getInverses())
    if (failed(expectShape(*this, "inverses", inverse, {rows, rows})))
      return failure();
  return success();
}

LogicalResult DecayValuesOp::verify() {
  int64_t tokens = shapeOf(getValues())[0];
  return expectShape(*this, "scores", getScores(), {tokens, tokens});
}

LogicalResult DecayPathsOp::verify() {
  int64_t tokens = shapeOf(getReaders())[0];
  return expectShape(*this, "weights", getWeights(), {tokens, tokens});
}

LogicalResult DecayScoresOp::verify() {
  int64_t tokens = shapeOf(getReads())[0];
  return expectShape(*this, "result", getResult(), {tokens, tokens});
}
