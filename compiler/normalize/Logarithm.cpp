#include "compiler/normalize/Logarithm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace linmu {

static constexpr double infinity = std::numeric_limits<double>::infinity();

static Value maximum(Value value, double bound, Symbols &symbols) {
  return symbols.make(arith::MaximumFOp::getOperationName(),
                      {value, symbols.constant(value.getType(), bound)}, value.getType());
}

namespace {

/// Logarithms of sizes, |x|, without a lower bound: one that was held at a bound first would forget too
/// little once a root, a power or a product has scaled it. The logarithm of zero is -infinity.
class Logarithm {
public:
  explicit Logarithm(Symbols &symbols) : symbols_(symbols) {}

  /// The logarithm of a value's size; what is known to be no less than zero is taken so, whatever was
  /// rounded.
  Value of(Value value) {
    if (Value form = ofForm(value))
      return form;
    Value size =
        isNonnegative(value) ? maximum(value, 0, symbols_) : unary(math::AbsFOp::getOperationName(), value);
    return unary(math::LogOp::getOperationName(), size);
  }

private:
  /// The logarithm by the value's form, as log exp g = g; null where only its number tells.
  Value ofForm(Value value) {
    auto known = known_.find(value);
    if (known != known_.end())
      return known->second;
    Value form = findForm(value);
    return known_[value] = form;
  }
  Value findForm(Value value);
  Value ofQuotient(arith::DivFOp op);
  Value ofSum(arith::AddFOp op);
  Value ofDistanceFromHalf(Operation *op);
  Value ofTwiceLessOne(Value value);
  Value ofPower(math::PowFOp op);
  Value ofMasked(arith::MulFOp op);
  /// A product without its factor of constants one of which is zero, and the logarithm of whether that is the
  /// other one; nothing where there is none.
  std::optional<std::pair<Value, Value>> withoutMask(Value product);
  Value ofAssumed(pattern::AssumeOp op);

  Value scaled(Value logarithm, double factor) {
    return logarithm ? symbols_.multiply(logarithm, symbols_.constant(logarithm.getType(), factor)) : Value();
  }
  Value unary(StringRef name, Value value) { return symbols_.make(name, value, value.getType()); }
  Value softplus(Value x) { return unary(pattern::SoftplusOp::getOperationName(), x); }
  static Value exponentOf(Value value) {
    auto exp = value.getDefiningOp<math::ExpOp>();
    return exp ? exp.getOperand() : Value();
  }
  /// Logarithms of both operands, at least one of them by its form.
  std::optional<std::pair<Value, Value>> ofBoth(Value lhs, Value rhs) {
    Value left = ofForm(lhs), right = ofForm(rhs);
    if (!left && !right)
      return std::nullopt;
    return std::pair(left ? left : of(lhs), right ? right : of(rhs));
  }
  bool isNonnegative(Value value) { return symbols_.rangeOf(value).low >= 0; }
  bool isAtMostOne(Value value) {
    Range range = symbols_.rangeOf(value);
    return range.low >= -1 && range.high <= 1;
  }
  bool isInUnit(Value value) { return isNonnegative(value) && isAtMostOne(value); }

  Symbols &symbols_;
  llvm::DenseMap<Value, Value> known_;
};

} // namespace

Value Logarithm::findForm(Value value) {
  if (std::optional<double> number = constantOf(value))
    return symbols_.constant(value.getType(), *number == 0 ? -infinity : std::log(std::abs(*number)));
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp exp) {
        auto log = exp.getOperand().getDefiningOp<math::LogOp>();
        return log ? of(log.getOperand()) : exp.getOperand();
      })
      .Case([&](math::Exp2Op exp) {
        auto log = exp.getOperand().getDefiningOp<math::Log2Op>();
        return log ? of(log.getOperand()) : scaled(exp.getOperand(), M_LN2);
      })
      .Case([&](pattern::SigmoidOp sigmoid) {
        return symbols_.negate(softplus(symbols_.negate(sigmoid.getSource())));
      })
      .Case([&](arith::SubFOp sub) {
        auto sigmoid = sub.getRhs().getDefiningOp<pattern::SigmoidOp>();
        return sigmoid && isConstant(sub.getLhs(), 1) ? symbols_.negate(softplus(sigmoid.getSource()))
                                                      : ofDistanceFromHalf(sub);
      })
      .Case([&](arith::AddFOp sum) {
        Value form = ofSum(sum);
        return form ? form : ofDistanceFromHalf(sum);
      })
      .Case<arith::NegFOp, math::AbsFOp>([&](Operation *op) { return ofForm(op->getOperand(0)); })
      .Case([&](math::TanhOp tanh) {
        // 2 sigmoid(2 x) - 1
        Value two = symbols_.constant(value.getType(), 2);
        return ofTwiceLessOne(
            unary(pattern::SigmoidOp::getOperationName(), symbols_.multiply(tanh.getOperand(), two)));
      })
      .Case([&](arith::DivFOp div) { return ofQuotient(div); })
      .Case([&](math::SqrtOp root) {
        return isNonnegative(root.getOperand()) ? scaled(of(root.getOperand()), 0.5) : Value();
      })
      .Case([&](math::RsqrtOp root) { return scaled(ofForm(root.getOperand()), -0.5); })
      .Case([&](math::PowFOp power) { return ofPower(power); })
      .Case([&](arith::MulFOp mul) {
        Value lhs = mul.getLhs(), rhs = mul.getRhs();
        // Of numbers in [-1, 1] too, as their product may be too small for f32.
        if (isAtMostOne(lhs) && isAtMostOne(rhs))
          return symbols_.add(of(lhs), of(rhs));
        Value left = ofForm(lhs), right = ofForm(rhs);
        return left && right ? symbols_.add(left, right) : ofMasked(mul);
      })
      .Case([&](arith::SelectOp select) {
        auto sides = ofBoth(select.getTrueValue(), select.getFalseValue());
        return sides ? symbols_.select(select.getCondition(), sides->first, sides->second) : Value();
      })
      .Case<arith::MinimumFOp, arith::MaximumFOp, arith::MinNumFOp, arith::MaxNumFOp>([&](Operation *bound) {
        Value lhs = bound->getOperand(0), rhs = bound->getOperand(1);
        if (!isNonnegative(lhs) || !isNonnegative(rhs))
          return Value();
        auto sides = ofBoth(lhs, rhs);
        return sides ? symbols_.remake(bound, {sides->first, sides->second}, value.getType()) : Value();
      })
      .Case([&](pattern::BroadcastOp broadcast) {
        Value source = ofForm(broadcast.getSource());
        return source ? symbols_.remake(op, source, value.getType()) : Value();
      })
      .Case([&](pattern::AssumeOp assume) { return ofAssumed(assume); })
      .Default([](Operation *) { return Value(); });
}

/// 1 + exp(x), of which log is softplus(x).
Value Logarithm::ofSum(arith::AddFOp op) {
  for (auto [one, other] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())})
    if (Value exponent = exponentOf(other); exponent && isConstant(one, 1))
      return softplus(exponent);
  return {};
}

/// 2 a - 1 and 1 - 2 a, for a in [0, 1] whose logarithm is known by its form.
Value Logarithm::ofDistanceFromHalf(Operation *op) {
  for (unsigned side : {0, 1}) {
    std::optional<double> offset = constantOf(op->getOperand(side));
    auto product = op->getOperand(1 - side).getDefiningOp<arith::MulFOp>();
    if (!offset || !product)
      continue;
    for (unsigned of : {0, 1}) {
      std::optional<double> factor = constantOf(product->getOperand(of));
      if (factor && *factor * (isa<arith::SubFOp>(op) ? -*offset : *offset) == -2 && std::abs(*factor) == 2)
        return ofTwiceLessOne(product->getOperand(1 - of));
    }
  }
  return {};
}

/// log |2 a - 1| = log1p(-2 min(a, 1 - a)), where 1 - a = -expm1(log a) is as exact near one as a is near
/// zero.
Value Logarithm::ofTwiceLessOne(Value value) {
  Value logarithm = isInUnit(value) ? ofForm(value) : Value();
  if (!logarithm)
    return {};
  Value rest = symbols_.negate(unary(math::ExpM1Op::getOperationName(), logarithm));
  Value least = symbols_.make(arith::MinimumFOp::getOperationName(), {value, rest}, value.getType());
  Value twice = symbols_.multiply(least, symbols_.constant(value.getType(), -2));
  return unary(math::Log1pOp::getOperationName(), twice);
}

Value Logarithm::ofQuotient(arith::DivFOp op) {
  // exp(x) / (1 + exp(x)), a sigmoid written out: x - softplus(x) would cancel.
  if (auto sum = op.getRhs().getDefiningOp<arith::AddFOp>())
    if (Value exponent = exponentOf(op.getLhs()))
      for (auto [one, other] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
        if (other == op.getLhs() && isConstant(one, 1))
          return symbols_.negate(softplus(symbols_.negate(exponent)));
  Value divisor = ofForm(op.getRhs());
  // No form but a constant has the logarithm of zero for sure; nothing is divided by that.
  if (!divisor || isConstant(divisor, -infinity))
    return {};
  if (isConstant(op.getLhs(), 1))
    return symbols_.negate(divisor);
  Value dividend = ofForm(op.getLhs());
  return dividend ? symbols_.subtract(dividend, divisor) : Value();
}

Value Logarithm::ofPower(math::PowFOp op) {
  Value base = op.getLhs(), exponent = op.getRhs();
  if (!isNonnegative(base))
    return {};
  Value logarithm = of(base);
  // 0^0 is 1, where the product of an infinity with 0 is no number.
  if (Range range = symbols_.rangeOf(exponent); range.low <= 0 && range.high >= 0)
    logarithm = maximum(logarithm, -1e36, symbols_);
  return symbols_.multiply(logarithm, exponent);
}

/// log x + (c ? 0 : -inf) for x (c ? a : 0) whose x has no form: what restarts a state is seen as that, and
/// not as one of the numbers that the logarithm of a product may be.
Value Logarithm::ofMasked(arith::MulFOp op) {
  auto parts = withoutMask(op);
  return parts ? symbols_.add(of(parts->first), parts->second) : Value();
}

std::optional<std::pair<Value, Value>> Logarithm::withoutMask(Value product) {
  Operation *op = product.getDefiningOp();
  if (auto select = dyn_cast_or_null<arith::SelectOp>(op)) {
    auto yes = constantOf(select.getTrueValue()), no = constantOf(select.getFalseValue());
    if (!yes || !no || (*yes == 0) == (*no == 0))
      return std::nullopt;
    auto mark = [&](double number) { return symbols_.constant(product.getType(), number ? 0 : -infinity); };
    Value other = *yes == 0 ? select.getFalseValue() : select.getTrueValue();
    return std::pair(other, symbols_.select(select.getCondition(), mark(*yes), mark(*no)));
  }
  if (auto mul = dyn_cast_or_null<arith::MulFOp>(op))
    for (auto [one, other] : {std::pair(mul.getLhs(), mul.getRhs()), std::pair(mul.getRhs(), mul.getLhs())})
      if (auto parts = withoutMask(one))
        return std::pair(symbols_.multiply(parts->first, other), parts->second);
  if (auto broadcast = dyn_cast_or_null<pattern::BroadcastOp>(op))
    if (auto parts = withoutMask(broadcast.getSource()))
      return std::pair(symbols_.remake(op, parts->first, product.getType()),
                       symbols_.remake(op, parts->second, product.getType()));
  return std::nullopt;
}

/// What holds of the value holds of its logarithm.
Value Logarithm::ofAssumed(pattern::AssumeOp op) {
  Value logarithm = ofForm(op.getSource());
  if (!logarithm || constantOf(logarithm))
    return logarithm;
  // The rounding that the interpreter lets pass, which weighs more in the logarithm of a small number.
  constexpr double slack = 1e-12;
  double low = op.getMinimum().convertToDouble(), high = op.getMaximum().convertToDouble();
  high = std::max(high, -low);
  low -= slack;
  auto bound = [&](double number) {
    return FloatAttr::get(Float64Type::get(op.getContext()), number > 0 ? std::log(number) : -infinity);
  };
  NamedAttribute attributes[] = {{op.getMinimumAttrName(), bound(low)},
                                 {op.getMaximumAttrName(), bound(high >= 1 ? high : high + slack)}};
  return symbols_.make(pattern::AssumeOp::getOperationName(), logarithm, logarithm.getType(), attributes);
}

Value Logarithms::of(Value value) {
  constexpr double zero = -200;
  Value &known = known_[value];
  if (!known) {
    known = Logarithm(symbols_).of(value);
    if (!(symbols_.rangeOf(known).low >= zero))
      known = maximum(known, zero, symbols_);
  }
  return known;
}

} // namespace linmu
