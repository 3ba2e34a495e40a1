#include "compiler/normalize/Logarithm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace linmu {

static constexpr double zero = -200;

/// x where `value` is exp(x); null otherwise.
static Value exponentOf(Value value) {
  auto exp = value.getDefiningOp<math::ExpOp>();
  return exp ? exp.getOperand() : Value();
}

static Value exact(Value value, Symbols &symbols) {
  Type type = value.getType();
  if (std::optional<double> number = symbols.constantOf(value))
    return symbols.constant(type, *number <= 0 ? zero : std::max(zero, std::log(*number)));
  Operation *op = value.getDefiningOp();
  auto negatedSoftplus = [&](Value x) {
    return symbols.negate(symbols.unary(pattern::SoftplusOp::getOperationName(), x));
  };
  if (Value exponent = exponentOf(value)) {
    auto log = exponent.getDefiningOp<math::LogOp>();
    return log ? exact(log.getOperand(), symbols) : exponent;
  }
  if (auto exp2 = dyn_cast_or_null<math::Exp2Op>(op)) {
    if (auto log2 = exp2.getOperand().getDefiningOp<math::Log2Op>())
      return exact(log2.getOperand(), symbols);
    return symbols.multiply(exp2.getOperand(), symbols.constant(type, M_LN2));
  }
  if (auto sigmoid = dyn_cast_or_null<pattern::SigmoidOp>(op))
    return negatedSoftplus(symbols.negate(sigmoid.getSource()));
  if (auto sub = dyn_cast_or_null<arith::SubFOp>(op); sub && symbols.isConstant(sub.getLhs(), 1))
    if (auto sigmoid = sub.getRhs().getDefiningOp<pattern::SigmoidOp>())
      return negatedSoftplus(sigmoid.getSource());
  // 1 / (1 + exp(x)) and exp(x) / (1 + exp(x)) are sigmoids written out.
  if (auto div = dyn_cast_or_null<arith::DivFOp>(op))
    if (auto sum = div.getRhs().getDefiningOp<arith::AddFOp>())
      for (auto [one, other] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
        if (Value exponent = exponentOf(other); exponent && symbols.isConstant(one, 1)) {
          if (symbols.isConstant(div.getLhs(), 1))
            return negatedSoftplus(exponent);
          if (div.getLhs() == other)
            return negatedSoftplus(symbols.negate(exponent));
        }
  if (auto root = dyn_cast_or_null<math::SqrtOp>(op))
    return symbols.multiply(logarithmOf(root.getOperand(), symbols), symbols.constant(type, 0.5));
  auto inUnit = [&](Value factor) {
    Range range = symbols.rangeOf(factor);
    return range.low >= 0 && range.high <= 1;
  };
  if (auto power = dyn_cast_or_null<math::PowFOp>(op); power && inUnit(power.getLhs()))
    return symbols.multiply(logarithmOf(power.getLhs(), symbols), power.getRhs());
  if (auto mul = dyn_cast_or_null<arith::MulFOp>(op); mul && inUnit(mul.getLhs()) && inUnit(mul.getRhs()))
    return symbols.add(logarithmOf(mul.getLhs(), symbols), logarithmOf(mul.getRhs(), symbols));
  if (auto select = dyn_cast_or_null<arith::SelectOp>(op))
    return symbols.select(select.getCondition(), logarithmOf(select.getTrueValue(), symbols),
                          logarithmOf(select.getFalseValue(), symbols));
  if (isa_and_nonnull<arith::MinimumFOp, arith::MaximumFOp, arith::MinNumFOp, arith::MaxNumFOp>(op) &&
      inUnit(op->getOperand(0)) && inUnit(op->getOperand(1)))
    return symbols.remake(
        op, {logarithmOf(op->getOperand(0), symbols), logarithmOf(op->getOperand(1), symbols)}, type);
  if (auto broadcast = dyn_cast_or_null<pattern::BroadcastOp>(op))
    return symbols.remake(op, logarithmOf(broadcast.getSource(), symbols), type);
  if (auto assume = dyn_cast_or_null<pattern::AssumeOp>(op))
    if (assume.getSource().getDefiningOp())
      if (Range range = symbols.rangeOf(assume.getSource()); range.low >= 0 && range.high <= 1)
        return logarithmOf(assume.getSource(), symbols);
  // Kernels take what is below the normal numbers as zero.
  return symbols.unary(math::LogOp::getOperationName(),
                       symbols.maximum(value, std::numeric_limits<float>::min()));
}

Value logarithmOf(Value value, Symbols &symbols) {
  if (Value known = symbols.logarithm(value))
    return known;
  Value result = exact(value, symbols);
  result = symbols.rangeOf(result).low >= zero ? result : symbols.maximum(result, zero);
  return symbols.logarithm(value) = result;
}

} // namespace linmu
