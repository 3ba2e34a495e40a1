// Verifiers, inferred types and exact values of the step ops.
#include "dialects/pattern/Pattern.h"
#include <cmath>

using namespace mlir;
using namespace linmu::pattern;

using Shaped = RankedTensorType;

static int64_t extent(Value value, unsigned axis) { return cast<Shaped>(value.getType()).getDimSize(axis); }

/// Types are inferred while the text is parsed, before operands are verified.
static LogicalResult requireRank(std::optional<Location> location, StringRef op, StringRef operand,
                                 Value value, ArrayRef<int64_t> ranks) {
  auto type = dyn_cast<Shaped>(value.getType());
  if (type && llvm::is_contained(ranks, type.getRank()))
    return success();
  return emitOptionalError(location, "'pattern.", op, "' op requires ", operand,
                           ranks.size() > 1     ? " to be a vector or a matrix"
                           : ranks.front() == 1 ? " to be a vector"
                                                : " to be a matrix",
                           ", got ", value.getType());
}

static Shaped vectorType(MLIRContext *context, int64_t size) {
  return Shaped::get({size}, Float32Type::get(context));
}

//===------------------------------------------------------------------------------------------------===//
// outer
//===------------------------------------------------------------------------------------------------===//

LogicalResult OuterOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                        Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(requireRank(location, "outer", "column", adaptor.getColumn(), {1})) ||
      failed(requireRank(location, "outer", "row", adaptor.getRow(), {1})))
    return failure();
  types.push_back(
      Shaped::get({extent(adaptor.getColumn(), 0), extent(adaptor.getRow(), 0)}, Float32Type::get(context)));
  return success();
}
SmallVector<unsigned> OuterOp::linearIn() { return {0, 1}; }
StepValue OuterOp::evaluate(ArrayRef<StepValue> operands) {
  int64_t rows = operands[0].shape[0], columns = operands[1].shape[0];
  StepValue result = StepValue::filled({rows, columns}, 0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      result.at(i, j) = operands[0].elements[i] * operands[1].elements[j];
  return result;
}

//===------------------------------------------------------------------------------------------------===//
// read, read_transposed
//===------------------------------------------------------------------------------------------------===//

LogicalResult ReadOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(requireRank(location, "read", "state", adaptor.getState(), {2})))
    return failure();
  types.push_back(vectorType(context, extent(adaptor.getState(), 1)));
  return success();
}
LogicalResult ReadOp::verify() {
  if (extent(getState(), 0) != extent(getKey(), 0))
    return emitOpError("requires key to have as many elements as axis 0 of state: expected ")
           << extent(getState(), 0) << ", got " << extent(getKey(), 0);
  return success();
}
SmallVector<unsigned> ReadOp::linearIn() { return {0, 1}; }
StepValue ReadOp::evaluate(ArrayRef<StepValue> operands) {
  const StepValue &state = operands[0];
  StepValue result = StepValue::filled({state.shape[1]}, 0);
  for (int64_t i = 0; i < state.shape[0]; ++i)
    for (int64_t j = 0; j < state.shape[1]; ++j)
      result.elements[j] += operands[1].elements[i] * state.at(i, j);
  return result;
}

LogicalResult ReadTransposedOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                                 Adaptor adaptor, SmallVectorImpl<Type> &types) {
  if (failed(requireRank(location, "read_transposed", "state", adaptor.getState(), {2})))
    return failure();
  types.push_back(vectorType(context, extent(adaptor.getState(), 0)));
  return success();
}
LogicalResult ReadTransposedOp::verify() {
  if (extent(getState(), 1) != extent(getValue(), 0))
    return emitOpError("requires value to have as many elements as axis 1 of state: expected ")
           << extent(getState(), 1) << ", got " << extent(getValue(), 0);
  return success();
}
SmallVector<unsigned> ReadTransposedOp::linearIn() { return {0, 1}; }
StepValue ReadTransposedOp::evaluate(ArrayRef<StepValue> operands) {
  const StepValue &state = operands[0];
  StepValue result = StepValue::filled({state.shape[0]}, 0);
  for (int64_t i = 0; i < state.shape[0]; ++i)
    for (int64_t j = 0; j < state.shape[1]; ++j)
      result.elements[i] += state.at(i, j) * operands[1].elements[j];
  return result;
}

//===------------------------------------------------------------------------------------------------===//
// dot, sum, broadcast
//===------------------------------------------------------------------------------------------------===//

SmallVector<unsigned> DotOp::linearIn() { return {0, 1}; }
StepValue DotOp::evaluate(ArrayRef<StepValue> operands) {
  double result = 0;
  for (size_t i = 0; i < operands[0].elements.size(); ++i)
    result += operands[0].elements[i] * operands[1].elements[i];
  return StepValue::scalar(result);
}

LogicalResult SumOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  if (failed(requireRank(location, "sum", "source", adaptor.getSource(), {1, 2})))
    return failure();
  auto source = cast<Shaped>(adaptor.getSource().getType());
  Type element = Float32Type::get(context);
  if (source.getRank() == 1)
    types.push_back(element);
  else
    types.push_back(vectorType(context, source.getDimSize(adaptor.getAxis() == 0 ? 1 : 0)));
  return success();
}
LogicalResult SumOp::verify() {
  int64_t rank = cast<Shaped>(getSource().getType()).getRank();
  if (int64_t(getAxis()) < 0 || int64_t(getAxis()) >= rank)
    return emitOpError("requires axis to be in [0, ") << rank << "), got " << int64_t(getAxis());
  return success();
}
SmallVector<unsigned> SumOp::linearIn() { return {0}; }
StepValue SumOp::evaluate(ArrayRef<StepValue> operands) {
  const StepValue &source = operands[0];
  if (source.shape.size() == 1) {
    double total = 0;
    for (double element : source.elements)
      total += element;
    return StepValue::scalar(total);
  }
  StepValue result = StepValue::filled({source.shape[getAxis() == 0 ? 1 : 0]}, 0);
  for (int64_t i = 0; i < source.shape[0]; ++i)
    for (int64_t j = 0; j < source.shape[1]; ++j)
      result.elements[getAxis() == 0 ? j : i] += source.at(i, j);
  return result;
}

LogicalResult BroadcastOp::verify() {
  auto result = cast<Shaped>(getResult().getType());
  if (getElementTypeOrSelf(getSource().getType()) != result.getElementType())
    return emitOpError("requires result elements of type ")
           << getElementTypeOrSelf(getSource().getType()) << ", got " << result.getElementType();
  if (!result.hasStaticShape() || result.getRank() < 1 || result.getRank() > 2)
    return emitOpError("requires a static result of rank 1 or 2, got ") << result;
  auto source = dyn_cast<Shaped>(getSource().getType());
  if (!source) {
    if (getAxis())
      return emitOpError("requires no `along` for a scalar source");
    return success();
  }
  if (!getAxis())
    return emitOpError("requires `along` to say which axis of the result the vector lies on");
  if (source.getRank() != 1 || result.getRank() != 2)
    return emitOpError("requires a scalar or vector source and, for a vector, a matrix result; got ")
           << source << " to " << result;
  if (int64_t(*getAxis()) < 0 || *getAxis() > 1)
    return emitOpError("requires axis to be 0 or 1, got ") << int64_t(*getAxis());
  if (result.getDimSize(*getAxis()) != source.getDimSize(0))
    return emitOpError("requires axis ") << *getAxis() << " of the result to have " << source.getDimSize(0)
                                         << " elements, got " << result.getDimSize(*getAxis());
  return success();
}
SmallVector<unsigned> BroadcastOp::linearIn() { return {0}; }
StepValue BroadcastOp::evaluate(ArrayRef<StepValue> operands) {
  ArrayRef<int64_t> shape = cast<Shaped>(getResult().getType()).getShape();
  const StepValue &source = operands[0];
  StepValue result = StepValue::filled(std::vector<int64_t>(shape.begin(), shape.end()), 0);
  for (size_t i = 0; i < result.elements.size(); ++i) {
    int64_t column = shape.empty() ? 0 : i % shape.back();
    int64_t row = shape.empty() ? 0 : i / shape.back();
    result.elements[i] = source.elements[!getAxis() ? 0 : *getAxis() == 0 ? row : column];
  }
  return result;
}

//===------------------------------------------------------------------------------------------------===//
// lag, assume, sigmoid, softplus
//===------------------------------------------------------------------------------------------------===//

LogicalResult LagOp::verify() {
  if (int64_t distance = getDistance(); distance < 1 || distance > 3)
    return emitOpError("requires a lag by 1 to 3 tokens, got ") << distance;
  auto argument = dyn_cast<BlockArgument>(getSource());
  Operation *loop = (*this)->getParentOp();
  bool isToken = false;
  if (argument && argument.getOwner() == (*this)->getBlock()) {
    unsigned index = argument.getArgNumber();
    auto inTokens = [&](auto op) {
      return index >= op.getParams().size() && index < op.getParams().size() + op.getTokens().size();
    };
    if (auto scan = dyn_cast<ScanOp>(loop))
      isToken = inTokens(scan);
    else if (auto map = dyn_cast<MapOp>(loop))
      isToken = inTokens(map);
    else if (auto normal = dyn_cast<NormalScanOp>(loop))
      isToken = inTokens(normal);
  }
  if (!isToken)
    return emitOpError("requires source to be a token argument of the surrounding step");
  if (getOtherwise() && getOtherwise().getType() != getSource().getType())
    return emitOpError("requires `otherwise` to have the type of source: expected ")
           << getSource().getType() << ", got " << getOtherwise().getType();
  return success();
}
SmallVector<unsigned> LagOp::linearIn() { return {}; }
StepValue LagOp::evaluate(ArrayRef<StepValue> operands) {
  // Only the surrounding loop knows earlier tokens; it never asks.
  llvm_unreachable("a lag is evaluated by the loop around it");
}

LogicalResult AssumeOp::verify() {
  if (!(getMinimum().convertToDouble() <= getMaximum().convertToDouble()))
    return emitOpError("requires minimum <= maximum, got [")
           << getMinimum().convertToDouble() << ", " << getMaximum().convertToDouble() << "]";
  return success();
}
SmallVector<unsigned> AssumeOp::linearIn() { return {0}; }
StepValue AssumeOp::evaluate(ArrayRef<StepValue> operands) { return operands[0]; }

SmallVector<unsigned> SigmoidOp::linearIn() { return {}; }
StepValue SigmoidOp::evaluate(ArrayRef<StepValue> operands) {
  return elementwise(operands[0], [](double x) { return 1 / (1 + std::exp(-x)); });
}
SmallVector<unsigned> SoftplusOp::linearIn() { return {}; }
StepValue SoftplusOp::evaluate(ArrayRef<StepValue> operands) {
  return elementwise(operands[0],
                     [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
}
