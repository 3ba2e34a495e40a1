#include "compiler/normalize/Symbols.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;

namespace linmu {

unsigned Symbols::Equivalence::getHashValue(const Operation *op) {
  return OperationEquivalence::computeHash(const_cast<Operation *>(op), OperationEquivalence::directHashValue,
                                           OperationEquivalence::ignoreHashValue,
                                           OperationEquivalence::IgnoreLocations);
}

bool Symbols::Equivalence::isEqual(const Operation *lhs, const Operation *rhs) {
  if (lhs == rhs)
    return true;
  if (lhs == getTombstoneKey() || lhs == getEmptyKey() || rhs == getTombstoneKey() || rhs == getEmptyKey())
    return false;
  return OperationEquivalence::isEquivalentTo(const_cast<Operation *>(lhs), const_cast<Operation *>(rhs),
                                              OperationEquivalence::IgnoreLocations);
}

Value Symbols::unique(Operation *op) {
  auto [known, inserted] = known_.try_emplace(op, 0);
  if (!inserted) {
    op->erase();
    return known->first->getResult(0);
  }
  places_.try_emplace(op, places_.size());
  return op->getResult(0);
}

static bool isElementwise(OperationName name) {
  return name.hasTrait<OpTrait::Elementwise>() ||
         name.getStringRef() == pattern::SigmoidOp::getOperationName() ||
         name.getStringRef() == pattern::SoftplusOp::getOperationName() ||
         name.getStringRef() == pattern::AssumeOp::getOperationName();
}

/// One order for operands that may change places, the same in every process: arguments first, then by place
/// in the block.
bool Symbols::comesBefore(Value lhs, Value rhs) const {
  Operation *left = lhs.getDefiningOp(), *right = rhs.getDefiningOp();
  if (!left || !right)
    return left || right ? !left
                         : cast<BlockArgument>(lhs).getArgNumber() < cast<BlockArgument>(rhs).getArgNumber();
  return places_.lookup(left) < places_.lookup(right);
}

Value Symbols::make(StringRef name, ValueRange operands, Type type, ArrayRef<NamedAttribute> attributes) {
  OperationName opName(name, builder_.getContext());
  auto tensor = dyn_cast<RankedTensorType>(type);
  // The same scalar everywhere stays a scalar: factors are recognised by it.
  if (tensor && isElementwise(opName)) {
    SmallVector<Value> scalars;
    for (Value operand : operands)
      if (Value scalar = isa<RankedTensorType>(operand.getType()) ? scalarBehind(operand) : operand)
        scalars.push_back(scalar);
    if (scalars.size() == operands.size())
      return spread(makeScalar(name, scalars, tensor.getElementType(), attributes), type);
  }
  SmallVector<Value> sorted(operands);
  if (opName.hasTrait<OpTrait::IsCommutative>())
    llvm::sort(sorted, [&](Value lhs, Value rhs) { return comesBefore(lhs, rhs); });
  builder_.setInsertionPointToEnd(&block_);
  OperationState state(*location_, opName, sorted, type, attributes);
  Operation *op = builder_.create(state);
  SmallVector<OpFoldResult> folded;
  if (!isa<arith::ConstantOp>(op) && succeeded(op->fold(folded)) && folded.size() == 1) {
    if (auto value = dyn_cast<Value>(folded[0])) {
      op->erase();
      return value;
    }
    Attribute attribute = cast<Attribute>(folded[0]);
    op->erase();
    return make(arith::ConstantOp::getOperationName(), {}, type, builder_.getNamedAttr("value", attribute));
  }
  return unique(op);
}

Value Symbols::makeScalar(StringRef name, ArrayRef<Value> operands, Type type,
                          ArrayRef<NamedAttribute> attributes) {
  if (name == arith::AddFOp::getOperationName())
    return add(operands[0], operands[1]);
  if (name == arith::SubFOp::getOperationName())
    return subtract(operands[0], operands[1]);
  if (name == arith::MulFOp::getOperationName())
    return multiply(operands[0], operands[1]);
  if (name == arith::NegFOp::getOperationName())
    return negate(operands[0]);
  return make(name, operands, type, attributes);
}

Value Symbols::remake(Operation *op, ValueRange operands, Type type) {
  return make(op->getName().getStringRef(), operands, type, op->getAttrs());
}

Value Symbols::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute = isa<FloatType>(element) ? TypedAttr(builder_.getFloatAttr(element, value))
                                                : TypedAttr(builder_.getIntegerAttr(element, int64_t(value)));
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    attribute = DenseElementsAttr::get(tensor, Attribute(attribute));
  return make(arith::ConstantOp::getOperationName(), {}, type, builder_.getNamedAttr("value", attribute));
}

std::optional<double> Symbols::constantOf(Value value) {
  if (auto broadcast = value.getDefiningOp<pattern::BroadcastOp>())
    return constantOf(broadcast.getSource());
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return std::nullopt;
  Attribute attribute = constant.getValue();
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    if (!dense.isSplat())
      return std::nullopt;
    attribute = dense.getSplatValue<Attribute>();
  }
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  if (auto boolean = dyn_cast<BoolAttr>(attribute))
    return boolean.getValue();
  return double(cast<IntegerAttr>(attribute).getInt());
}

Value Symbols::spread(Value scalar, Type type) {
  if (scalar.getType() == type)
    return scalar;
  if (std::optional<double> number = constantOf(scalar))
    return constant(type, *number);
  return make(pattern::BroadcastOp::getOperationName(), scalar, type);
}

void Symbols::spreadBoth(Value &lhs, Value &rhs) {
  if (isa<RankedTensorType>(lhs.getType()))
    rhs = spread(rhs, lhs.getType());
  else
    lhs = spread(lhs, rhs.getType());
}

Value Symbols::addSpread(Value lhs, Value rhs) {
  spreadBoth(lhs, rhs);
  return add(lhs, rhs);
}

Value Symbols::multiplySpread(Value lhs, Value rhs) {
  spreadBoth(lhs, rhs);
  return multiply(lhs, rhs);
}

Value Symbols::divideSpread(Value lhs, Value rhs) {
  spreadBoth(lhs, rhs);
  return divide(lhs, rhs);
}

Value Symbols::scalarBehind(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  if (!tensor)
    return value;
  if (std::optional<double> number = constantOf(value))
    return constant(tensor.getElementType(), *number);
  auto broadcast = value.getDefiningOp<pattern::BroadcastOp>();
  return broadcast && !broadcast.getAxis() ? broadcast.getSource() : Value();
}

std::pair<Value, Value> Symbols::factor(Value value) {
  if (auto found = factors_.find(value); found != factors_.end())
    return found->second;
  std::pair<Value, Value> result = computeFactor(value);
  factors_[value] = result;
  return result;
}

std::pair<Value, Value> Symbols::computeFactor(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return {value, {}};
  if (Value scalar = scalarBehind(value))
    return {{}, isConstant(scalar, 1) ? Value() : scalar};
  auto scaled = [&](Value lhs, Value rhs) { return !lhs || !rhs ? (lhs ? lhs : rhs) : multiply(lhs, rhs); };
  if (auto negate = value.getDefiningOp<arith::NegFOp>()) {
    auto [vector, scalar] = factor(negate.getOperand());
    return {vector, scalar ? this->negate(scalar) : constant(getElementTypeOrSelf(value.getType()), -1)};
  }
  if (auto product = value.getDefiningOp<arith::MulFOp>()) {
    auto [left, leftScalar] = factor(product.getLhs());
    auto [right, rightScalar] = factor(product.getRhs());
    if (leftScalar || rightScalar)
      return {scaled(left, right), scaled(leftScalar, rightScalar)};
  }
  if (auto quotient = value.getDefiningOp<arith::DivFOp>())
    if (Value divisor = scalarBehind(quotient.getRhs())) {
      auto [vector, scalar] = factor(quotient.getLhs());
      return {vector, divide(scalar ? scalar : constant(divisor.getType(), 1), divisor)};
    }
  return {value, {}};
}

Value Symbols::substitute(Value value, llvm::DenseMap<Value, Value> &replacements) {
  if (Value known = replacements.lookup(value))
    return known;
  Value result = value;
  if (Operation *op = value.getDefiningOp()) {
    SmallVector<Value> operands;
    bool changed = false;
    for (Value operand : op->getOperands()) {
      operands.push_back(substitute(operand, replacements));
      changed |= operands.back() != operand;
    }
    if (changed) {
      setLocation(op->getLoc());
      result = remake(op, operands, value.getType());
    }
  }
  replacements[value] = result;
  return result;
}

Value Symbols::multiply(Value lhs, Value rhs) {
  if (isConstant(lhs, 0) || isConstant(rhs, 0))
    return constant(lhs.getType(), 0);
  if (isConstant(lhs, 1))
    return rhs;
  if (isConstant(rhs, 1))
    return lhs;
  if (isConstant(lhs, -1))
    return negate(rhs);
  if (isConstant(rhs, -1))
    return negate(lhs);
  // Signs stand outside of products, where sums find them.
  if (Value positive = negated(lhs))
    return negate(multiply(positive, rhs));
  if (Value positive = negated(rhs))
    return negate(multiply(lhs, positive));
  return make(arith::MulFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::divide(Value lhs, Value rhs) {
  if (isConstant(rhs, 1))
    return lhs;
  return make(arith::DivFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::negated(Value value) {
  if (auto negate = value.getDefiningOp<arith::NegFOp>())
    return negate.getOperand();
  if (auto broadcast = value.getDefiningOp<pattern::BroadcastOp>(); broadcast && !broadcast.getAxis())
    if (auto negate = broadcast.getSource().getDefiningOp<arith::NegFOp>())
      return spread(negate.getOperand(), value.getType());
  return {};
}

Value Symbols::negate(Value value) {
  if (Value positive = negated(value))
    return positive;
  return make(arith::NegFOp::getOperationName(), value, value.getType());
}

Value Symbols::select(Value condition, Value yes, Value no) {
  if (yes == no)
    return yes;
  return make(arith::SelectOp::getOperationName(), {condition, yes, no}, yes.getType());
}

Value Symbols::maximum(Value value, double bound) {
  return make(arith::MaximumFOp::getOperationName(), {value, constant(value.getType(), bound)},
              value.getType());
}

Value Symbols::dot(Value lhs, Value rhs) {
  auto vector = dyn_cast<RankedTensorType>(lhs.getType());
  if (!vector)
    return multiply(lhs, rhs);
  if (isConstant(lhs, 0) || isConstant(rhs, 0))
    return constant(vector.getElementType(), 0);
  if (comesBefore(rhs, lhs))
    std::swap(lhs, rhs);
  return make(pattern::DotOp::getOperationName(), {lhs, rhs}, vector.getElementType());
}

} // namespace linmu
