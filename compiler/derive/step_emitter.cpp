#include "compiler/derive/step_emitter.h"

using namespace mlir;
using namespace linmu;

static int64_t extent(Value tile, int64_t axis) {
  return cast<RankedTensorType>(tile.getType()).getDimSize(axis);
}
static SmallVector<int64_t> shapeOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? SmallVector<int64_t>(tensor.getShape()) : SmallVector<int64_t>{};
}

Value StepEmitter::rows(StepTile value) {
  if (value.rows || leading_.empty())
    return value.tile;
  if (rankOf(value.tile) == 0)
    return builder_.fill(value.tile, leading_);
  return builder_.along(value.tile, 1, {leading_[0], extent(value.tile, 0)});
}

static bool isVector(Value value) { return rankOf(value) == 1; }

StepTile StepEmitter::slice(Value value) {
  if (!columns_ || !isVector(value))
    return get(value);
  if (auto known = tiles_.find(value); known != tiles_.end() && known->second.sliced)
    return known->second;
  if (auto known = slices_.find(value); known != slices_.end())
    return known->second;
  StepTile result;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    result = load_slice_(argument);
  } else {
    FailureOr<StepTile> emitted = emit(*value.getDefiningOp(), /*sliced=*/true);
    assert(succeeded(emitted) && "separability was checked");
    result = *emitted;
  }
  result.sliced = true;
  return slices_[value] = result;
}

/// An op of what is known for some of the value columns only is itself known for those. A token that only
/// lags use has no tile.
LogicalResult StepEmitter::emit(Block &block) {
  for (Operation &op : block.without_terminator()) {
    bool sliced =
        llvm::any_of(op.getOperands(), [&](Value operand) { return tiles_.lookup(operand).sliced; });
    FailureOr<StepTile> result = emit(op, sliced);
    if (failed(result))
      return failure();
    result->sliced = sliced;
    bind(op.getResult(0), *result);
  }
  return success();
}

FailureOr<StepTile> StepEmitter::emit(Operation &op, bool sliced) {
  builder_.setLoc(op.getLoc());
  auto unary = [&](Value source, Value (StepEmitter::*function)(Value)) {
    StepTile tile = operandOf(source, sliced);
    return StepTile{(this->*function)(tile.tile), tile.rows};
  };
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (elements && !elements.isSplat())
      return op.emitOpError("requires a tensor constant with equal elements; pass others as params");
    return emitConstant(constant, sliced);
  }
  if (auto broadcast = dyn_cast<pattern::BroadcastOp>(op))
    return emitBroadcast(broadcast, sliced);
  if (auto lag = dyn_cast<pattern::LagOp>(op))
    return lag_(lag, lag.getOtherwise() ? operandOf(lag.getOtherwise(), sliced) : StepTile{}, sliced);
  if (auto assume = dyn_cast<pattern::AssumeOp>(op))
    return operandOf(assume.getSource(), sliced);
  if (auto sigmoid = dyn_cast<pattern::SigmoidOp>(op))
    return unary(sigmoid.getSource(), &StepEmitter::sigmoid);
  if (auto softplus = dyn_cast<pattern::SoftplusOp>(op))
    return unary(softplus.getSource(), &StepEmitter::softplus);
  if (isa<arith::ArithDialect, math::MathDialect>(op.getDialect()))
    return emitElementwise(op, sliced);
  if (sliced)
    return op.emitOpError("needs all value columns at once");
  if (auto outer = dyn_cast<pattern::OuterOp>(op)) {
    Value column = get(outer.getColumn()).tile, row = get(outer.getRow()).tile;
    assert(!get(outer.getColumn()).rows && !get(outer.getRow()).rows && "a matrix for each token");
    SmallVector<int64_t> shape{extent(column, 0), extent(row, 0)};
    return StepTile{builder_.multiply(builder_.along(column, 0, shape), builder_.along(row, 1, shape))};
  }
  if (auto read = dyn_cast<pattern::ReadOp>(op))
    return emitRead(read.getState(), read.getKey(), /*transposed=*/false);
  if (auto read = dyn_cast<pattern::ReadTransposedOp>(op))
    return emitRead(read.getState(), read.getValue(), /*transposed=*/true);
  if (auto dot = dyn_cast<pattern::DotOp>(op)) {
    bool perToken = get(dot.getLhs()).rows || get(dot.getRhs()).rows;
    Value lhs = perToken ? rows(dot.getLhs()) : get(dot.getLhs()).tile;
    Value rhs = perToken ? rows(dot.getRhs()) : get(dot.getRhs()).tile;
    return StepTile{builder_.sum(builder_.multiply(lhs, rhs), perToken ? 1 : 0), perToken};
  }
  if (auto sum = dyn_cast<pattern::SumOp>(op)) {
    StepTile source = get(sum.getSource());
    return StepTile{builder_.sum(source.tile, int64_t(sum.getAxis()) + (source.rows ? 1 : 0)), source.rows};
  }
  return op.emitOpError("has no form on tiles");
}

StepTile StepEmitter::emitConstant(arith::ConstantOp op, bool sliced) {
  auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!sliced || !elements)
    return {builder_.clone(*op.getOperation())->getResult(0)};
  auto type = RankedTensorType::get({columns_}, elements.getElementType());
  return {
      arith::ConstantOp::create(builder_, DenseElementsAttr::get(type, elements.getSplatValue<Attribute>()))};
}

StepTile StepEmitter::emitElementwise(Operation &op, bool sliced) {
  SmallVector<StepTile> given;
  for (Value operand : op.getOperands())
    given.push_back(operandOf(operand, sliced));
  builder_.setLoc(op.getLoc());
  bool perToken = llvm::any_of(given, [](const StepTile &tile) { return tile.rows; });
  SmallVector<Value> operands;
  SmallVector<int64_t> shape = shapeOf(op.getResult(0).getType());
  if (sliced && shape.size() == 1)
    shape = {columns_};
  bool lone = isa<arith::SelectOp>(op) && rankOf(op.getOperand(0)) == 0 && !shape.empty();
  for (auto [index, tile] : llvm::enumerate(given)) {
    bool isLoneCondition = lone && index == 0;
    if (!perToken || (isLoneCondition && !tile.rows))
      operands.push_back(tile.tile);
    else if (isLoneCondition)
      operands.push_back(builder_.along(tile.tile, 0, {leading_[0], shape[0]}));
    else
      operands.push_back(rows(tile));
  }
  if (perToken)
    shape.insert(shape.begin(), leading_.begin(), leading_.end());
  Type element = getElementTypeOrSelf(op.getResult(0).getType());
  Type type = shape.empty() ? element : Type(RankedTensorType::get(shape, element));
  // Flags promise something of the operands; an op of a step means the same without.
  SmallVector<NamedAttribute> attributes;
  llvm::copy_if(op.getAttrs(), std::back_inserter(attributes), [](NamedAttribute attribute) {
    StringRef name = attribute.getName();
    return name != "fastmath" && name != "overflowFlags" && name != "nonNeg" && name != "isExact";
  });
  OperationState state(op.getLoc(), op.getName().getStringRef(), operands, type, attributes);
  return {builder_.create(state)->getResult(0), perToken};
}

StepTile StepEmitter::emitBroadcast(pattern::BroadcastOp op, bool sliced) {
  StepTile source = get(op.getSource());
  SmallVector<int64_t> shape = shapeOf(op.getResult().getType());
  if (sliced && shape.size() == 1)
    shape = {columns_};
  if (source.rows)
    return {builder_.along(source.tile, 0, {leading_[0], shape[0]}), true};
  if (rankOf(source.tile) == 0)
    return {builder_.fill(source.tile, shape), false};
  return {builder_.along(source.tile, *op.getAxis(), shape), false};
}

/// Keys of C tokens against a matrix that is the same for all are one product of matrices.
StepTile StepEmitter::emitRead(Value stateValue, Value keyValue, bool transposed) {
  Value state = get(stateValue).tile;
  StepTile key = get(keyValue);
  assert(!get(stateValue).rows && "a matrix for each token");
  if (key.rows)
    return {builder_.dot(key.tile, state, {.transpose_rhs = transposed}), true};
  int64_t axis = transposed ? 1 : 0;
  Value spread = builder_.along(key.tile, axis, cast<RankedTensorType>(state.getType()).getShape());
  return {builder_.sum(builder_.multiply(state, spread), axis), false};
}

/// Only the exponential of -|x| is taken, which cannot overflow. What 1 + exp(-|x|) loses to rounding is a
/// unit in the last place of small results, and is given back.
Value StepEmitter::sigmoid(Value x) {
  Type type = x.getType();
  Value zero = builder_.splat(type, 0), one = builder_.splat(type, 1);
  Value decayed = builder_.exp(arith::NegFOp::create(builder_, math::AbsFOp::create(builder_, x)));
  Value sum = builder_.add(one, decayed);
  Value lost = builder_.subtract(decayed, builder_.subtract(sum, one));
  Value sign = arith::CmpFOp::create(builder_, arith::CmpFPredicate::OGE, x, zero);
  Value quotient = builder_.divide(builder_.select(sign, one, decayed), sum);
  return builder_.subtract(quotient, builder_.multiply(quotient, lost));
}

Value StepEmitter::softplus(Value x) {
  Value decayed = builder_.exp(arith::NegFOp::create(builder_, math::AbsFOp::create(builder_, x)));
  Value tail = math::Log1pOp::create(builder_, decayed);
  return builder_.add(builder_.maximum(x, builder_.splat(x.getType(), 0)), tail);
}

Operation *linmu::findMatrixPerToken(Block &block, DenseSet<Value> &varying) {
  for (Operation &op : block) {
    if (!llvm::any_of(op.getOperands(), [&](Value operand) { return varying.contains(operand); }))
      continue;
    for (Value operand : op.getOperands())
      if (varying.contains(operand) && rankOf(operand) == 2)
        return &op;
    for (Value result : op.getResults()) {
      if (rankOf(result) == 2)
        return &op;
      varying.insert(result);
    }
  }
  return nullptr;
}
