#include "compiler/normalize/Sign.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace linmu {

namespace {
/// Signs, each value's once; null where no element is negative.
class Sign {
public:
  explicit Sign(Symbols &symbols) : symbols_(symbols) {}

  Value of(Value value) {
    if (auto known = known_.find(value); known != known_.end())
      return known->second;
    Value sign = symbols_.rangeOf(value).low >= 0 ? Value() : find(value);
    return known_[value] = sign;
  }

private:
  Value find(Value value);
  Value ofNumber(Value value);
  Value orOne(Value sign, Type type) { return sign ? sign : symbols_.constant(type, 1); }

  Symbols &symbols_;
  llvm::DenseMap<Value, Value> known_;
};
} // namespace

Value Sign::ofNumber(Value value) {
  MLIRContext *context = value.getContext();
  Type type = value.getType(), truth = IntegerType::get(context, 1);
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    truth = RankedTensorType::get(tensor.getShape(), truth);
  NamedAttribute predicate(StringAttr::get(context, "predicate"),
                           arith::CmpFPredicateAttr::get(context, arith::CmpFPredicate::OLT));
  Value negative =
      symbols_.make(arith::CmpFOp::getOperationName(), {value, symbols_.constant(type, 0)}, truth, predicate);
  return symbols_.select(negative, symbols_.constant(type, -1), symbols_.constant(type, 1));
}

Value Sign::find(Value value) {
  Type type = value.getType();
  Operation *op = value.getDefiningOp();
  if (!op)
    return ofNumber(value);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::NegFOp negate) { return symbols_.negate(orOne(of(negate.getOperand()), type)); })
      .Case<arith::MulFOp, arith::DivFOp>([&](Operation *) {
        Value a = of(op->getOperand(0)), b = of(op->getOperand(1));
        return a && b ? symbols_.multiply(a, b) : a ? a : b;
      })
      .Case([&](arith::SelectOp select) {
        return symbols_.select(select.getCondition(), orOne(of(select.getTrueValue()), type),
                               orOne(of(select.getFalseValue()), type));
      })
      .Case([&](pattern::BroadcastOp broadcast) {
        Value source = of(broadcast.getSource());
        return source ? symbols_.remake(op, source, type) : Value();
      })
      .Case<pattern::AssumeOp, math::TanhOp, math::ErfOp, math::ExpM1Op>(
          [&](Operation *) { return of(op->getOperand(0)); })
      .Default([&](Operation *) { return ofNumber(value); });
}

Value signOf(Value value, Symbols &symbols) { return Sign(symbols).of(value); }

} // namespace linmu
