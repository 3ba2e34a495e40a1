#include "compiler/normalize/Symbols.h"
#include "compiler/normalize/Sums.h"
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

/// As `make`, with the rules of arithmetic.
static Value makeScalar(Symbols &symbols, StringRef name, ArrayRef<Value> operands, Type type,
                        ArrayRef<NamedAttribute> attributes) {
  if (name == arith::AddFOp::getOperationName())
    return symbols.add(operands[0], operands[1]);
  if (name == arith::SubFOp::getOperationName())
    return symbols.subtract(operands[0], operands[1]);
  if (name == arith::MulFOp::getOperationName())
    return symbols.multiply(operands[0], operands[1]);
  if (name == arith::NegFOp::getOperationName())
    return symbols.negate(operands[0]);
  return symbols.make(name, operands, type, attributes);
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
      return spread(makeScalar(*this, name, scalars, tensor.getElementType(), attributes), type);
  }
  SmallVector<Value> sorted(operands);
  if (opName.hasTrait<OpTrait::IsCommutative>())
    llvm::sort(sorted, [&](Value lhs, Value rhs) { return comesBefore(lhs, rhs); });
  builder_.setInsertionPointToEnd(&block_);
  OperationState state(location_, opName, sorted, type, attributes);
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

Value Symbols::spread(Value scalar, Type type) {
  if (scalar.getType() == type)
    return scalar;
  if (std::optional<double> number = constantOf(scalar))
    return constant(type, *number);
  return make(pattern::BroadcastOp::getOperationName(), scalar, type);
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

/// A scalar beside a vector as a vector.
static void spreadBoth(Symbols &symbols, Value &lhs, Value &rhs) {
  if (isa<RankedTensorType>(lhs.getType()))
    rhs = symbols.spread(rhs, lhs.getType());
  else
    lhs = symbols.spread(lhs, rhs.getType());
}

Value Symbols::add(Value lhs, Value rhs) {
  spreadBoth(*this, lhs, rhs);
  if (isConstant(lhs, 0))
    return rhs;
  if (isConstant(rhs, 0))
    return lhs;
  if (Value sum = collectLikeTerms(lhs, rhs, 1, *this))
    return sum;
  for (auto [one, other] : {std::pair(lhs, rhs), std::pair(rhs, lhs)})
    if (Value part = negated(other, *this))
      if (Value product = complement(one, part, *this))
        return product;
  return make(arith::AddFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::subtract(Value lhs, Value rhs) {
  spreadBoth(*this, lhs, rhs);
  if (isConstant(rhs, 0))
    return lhs;
  if (isConstant(lhs, 0))
    return negate(rhs);
  if (Value difference = collectLikeTerms(lhs, rhs, -1, *this))
    return difference;
  if (Value product = complement(lhs, rhs, *this))
    return product;
  return make(arith::SubFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::multiply(Value lhs, Value rhs) {
  spreadBoth(*this, lhs, rhs);
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
  if (Value positive = negated(lhs, *this))
    return negate(multiply(positive, rhs));
  if (Value positive = negated(rhs, *this))
    return negate(multiply(lhs, positive));
  return make(arith::MulFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::divide(Value lhs, Value rhs) {
  spreadBoth(*this, lhs, rhs);
  if (isConstant(rhs, 1))
    return lhs;
  return make(arith::DivFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::negate(Value value) {
  if (Value positive = negated(value, *this))
    return positive;
  return make(arith::NegFOp::getOperationName(), value, value.getType());
}

Value Symbols::select(Value condition, Value yes, Value no) {
  if (yes == no)
    return yes;
  return make(arith::SelectOp::getOperationName(), {condition, yes, no}, yes.getType());
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

std::optional<double> constantOf(Value value) {
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

Value substitute(Value value, llvm::DenseMap<Value, Value> &replacements, Symbols &symbols) {
  if (Value known = replacements.lookup(value))
    return known;
  Value result = value;
  if (Operation *op = value.getDefiningOp()) {
    SmallVector<Value> operands;
    bool changed = false;
    for (Value operand : op->getOperands()) {
      operands.push_back(substitute(operand, replacements, symbols));
      changed |= operands.back() != operand;
    }
    if (changed) {
      symbols.setLocation(op->getLoc());
      result = symbols.remake(op, operands, value.getType());
    }
  }
  replacements[value] = result;
  return result;
}

} // namespace linmu
