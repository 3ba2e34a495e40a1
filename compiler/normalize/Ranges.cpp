#include "compiler/normalize/Ranges.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;

namespace linmu {

static constexpr double infinity = std::numeric_limits<double>::infinity();

static double product(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

static Range multiply(Range a, Range b) {
  double corners[] = {product(a.low, b.low), product(a.low, b.high), product(a.high, b.low),
                      product(a.high, b.high)};
  return {*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

static Range divide(Range a, Range b) {
  if (b.low <= 0 && b.high >= 0)
    return {-infinity, infinity};
  return multiply(a, {1 / b.high, 1 / b.low});
}

static Range constantRange(arith::ConstantOp op) {
  Range range{infinity, -infinity};
  auto extend = [&](Attribute attribute) {
    double value = isa<FloatAttr>(attribute)  ? cast<FloatAttr>(attribute).getValueAsDouble()
                   : isa<BoolAttr>(attribute) ? double(cast<BoolAttr>(attribute).getValue())
                                              : double(cast<IntegerAttr>(attribute).getInt());
    range = {std::min(range.low, value), std::max(range.high, value)};
  };
  if (auto dense = dyn_cast<DenseElementsAttr>(Attribute(op.getValue()))) {
    if (dense.isSplat())
      extend(dense.getSplatValue<Attribute>());
    else
      for (Attribute element : dense.getValues<Attribute>())
        extend(element);
  } else {
    extend(op.getValue());
  }
  return range;
}

template <typename Function> static Range monotone(Range range, Function function) {
  return {function(range.low), function(range.high)};
}

/// Whether `all` is an op of the given kinds that has `value` as an operand.
template <typename... Ops> static bool isOneOf(Value value, Value all) {
  Operation *op = all.getDefiningOp();
  return op && isa<Ops...>(op) && llvm::is_contained(op->getOperands(), value);
}

Range Ranges::of(Value value) {
  if (auto found = known_.find(value); found != known_.end())
    return found->second;
  Range range = compute(value);
  known_[value] = range;
  return range;
}

Range Ranges::compute(Value value) {
  Range all{-infinity, infinity};
  Operation *op = value.getDefiningOp();
  if (!op)
    return getElementTypeOrSelf(value.getType()).isInteger(1) ? Range{0, 1} : all;
  auto operand = [&](unsigned index) { return of(op->getOperand(index)); };
  return llvm::TypeSwitch<Operation *, Range>(op)
      .Case([&](arith::ConstantOp constant) { return constantRange(constant); })
      .Case([&](pattern::AssumeOp assume) {
        Range range = operand(0);
        return Range{std::max(range.low, assume.getMinimum().convertToDouble()),
                     std::min(range.high, assume.getMaximum().convertToDouble())};
      })
      .Case([&](pattern::BroadcastOp) { return operand(0); })
      .Case([&](pattern::SigmoidOp) {
        return monotone(operand(0), [](double x) { return 1 / (1 + std::exp(-x)); });
      })
      .Case([&](pattern::SoftplusOp) {
        return monotone(operand(0), [](double x) { return x > 30 ? x : std::log1p(std::exp(x)); });
      })
      .Case([&](math::ExpOp) { return monotone(operand(0), [](double x) { return std::exp(x); }); })
      .Case([&](math::Exp2Op) { return monotone(operand(0), [](double x) { return std::exp2(x); }); })
      .Case([&](math::TanhOp) { return monotone(operand(0), [](double x) { return std::tanh(x); }); })
      .Case([&](math::ErfOp) { return monotone(operand(0), [](double x) { return std::erf(x); }); })
      .Case([&](math::ExpM1Op) { return monotone(operand(0), [](double x) { return std::expm1(x); }); })
      .Case([&](math::LogOp) {
        Range range = operand(0);
        return range.low < 0 ? all : monotone(range, [](double x) { return std::log(x); });
      })
      .Case([&](math::Log2Op) {
        Range range = operand(0);
        return range.low < 0 ? all : monotone(range, [](double x) { return std::log2(x); });
      })
      .Case([&](math::Log1pOp) {
        Range range = operand(0);
        return range.low < -1 ? all : monotone(range, [](double x) { return std::log1p(x); });
      })
      .Case([&](math::SqrtOp) {
        Range range = operand(0);
        return range.low < 0 ? Range{0, infinity} : monotone(range, [](double x) { return std::sqrt(x); });
      })
      .Case([&](math::RsqrtOp) { return Range{0, infinity}; })
      .Case<math::SinOp, math::CosOp>([&](Operation *) { return Range{-1, 1}; })
      .Case([&](math::AbsFOp) {
        Range range = operand(0);
        double high = std::max(std::abs(range.low), std::abs(range.high));
        return Range{range.low > 0 ? range.low : range.high < 0 ? -range.high : 0, high};
      })
      .Case([&](math::PowFOp) {
        Range base = operand(0), exponent = operand(1);
        if (base.low >= 0 && base.high <= 1 && exponent.low >= 0)
          return Range{0, 1};
        return base.low >= 0 ? Range{0, infinity} : all;
      })
      .Case([&](arith::NegFOp) {
        Range range = operand(0);
        return Range{-range.high, -range.low};
      })
      .Case([&](arith::AddFOp) {
        Range a = operand(0), b = operand(1);
        return Range{a.low + b.low, a.high + b.high};
      })
      .Case([&](arith::SubFOp) {
        Range a = operand(0), b = operand(1);
        Range range{a.low - b.high, a.high - b.low};
        // What a maximum exceeds, as in a stabilised exponential.
        if (isOneOf<arith::MaximumFOp, arith::MaxNumFOp>(op->getOperand(0), op->getOperand(1)) ||
            isOneOf<arith::MinimumFOp, arith::MinNumFOp>(op->getOperand(1), op->getOperand(0)))
          range.high = std::min(range.high, 0.0);
        if (isOneOf<arith::MaximumFOp, arith::MaxNumFOp>(op->getOperand(1), op->getOperand(0)) ||
            isOneOf<arith::MinimumFOp, arith::MinNumFOp>(op->getOperand(0), op->getOperand(1)))
          range.low = std::max(range.low, 0.0);
        return range;
      })
      .Case([&](arith::MulFOp) {
        Range range = multiply(operand(0), operand(1));
        if (op->getOperand(0) == op->getOperand(1))
          range.low = std::max(range.low, 0.0);
        return range;
      })
      .Case([&](arith::DivFOp) {
        Range range = divide(operand(0), operand(1));
        // A part of a sum of parts that are not negative.
        if (auto sum = op->getOperand(1).getDefiningOp<arith::AddFOp>())
          for (auto [part, rest] :
               {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
            if (part == op->getOperand(0) && of(part).low >= 0 && of(rest).low >= 0)
              return Range{0, std::min(range.high, 1.0)};
        return range;
      })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](Operation *) {
        Range a = operand(0), b = operand(1);
        return Range{std::max(a.low, b.low), std::max(a.high, b.high)};
      })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](Operation *) {
        Range a = operand(0), b = operand(1);
        return Range{std::min(a.low, b.low), std::min(a.high, b.high)};
      })
      .Case([&](arith::SelectOp) {
        Range a = operand(1), b = operand(2);
        return Range{std::min(a.low, b.low), std::max(a.high, b.high)};
      })
      .Case([&](arith::UIToFPOp cast) {
        Range range = operand(0);
        bool isBoolean = getElementTypeOrSelf(cast.getIn().getType()).isInteger(1);
        return range.low >= 0 ? range : Range{0, isBoolean ? 1 : 4294967295.0};
      })
      .Case([&](arith::ExtUIOp) { return operand(0); }) // of an i1
      .Case([&](arith::SIToFPOp cast) {
        Range range = operand(0);
        // An i1 is 0 or -1 to signed ops.
        return getElementTypeOrSelf(cast.getIn().getType()).isInteger(1) ? Range{-range.high, -range.low}
                                                                         : range;
      })
      .Default([&](Operation *) {
        return getElementTypeOrSelf(value.getType()).isInteger(1) ? Range{0, 1} : all;
      });
}

} // namespace linmu
