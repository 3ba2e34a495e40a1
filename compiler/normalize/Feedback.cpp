#include "compiler/normalize/Feedback.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;

std::optional<Feedback> FeedbackExtractor::stop(Operation *op, const Twine &reason) {
  culprit_ = op;
  reason_ = reason.str();
  return std::nullopt;
}

Feedback FeedbackExtractor::combine(Feedback a, const Feedback &b, bool subtract) {
  for (auto [read, coefficient] : b.coefficients) {
    Value signedValue = subtract ? symbols_.negate(coefficient) : coefficient;
    Value &slot = a.coefficients[read];
    slot = slot ? symbols_.add(slot, signedValue) : signedValue;
  }
  a.free = subtract ? symbols_.subtract(a.free, b.free) : symbols_.add(a.free, b.free);
  return a;
}

std::optional<Feedback> FeedbackExtractor::extract(Value value) {
  if (auto found = known_.find(value); found != known_.end())
    return found->second;
  std::optional<Feedback> result = compute(value);
  if (result)
    known_[value] = *result;
  return result;
}

/// value * factor, or value / factor, as the op has it.
std::optional<Feedback> FeedbackExtractor::scale(Operation *op, Value value, Value factor) {
  bool divide = isa<arith::DivFOp>(op);
  auto result = extract(value);
  if (!result)
    return result;
  Value weight = symbols_.scalarBehind(factor);
  if (!weight && vectorsToo_)
    weight = factor;
  if (!weight)
    return stop(op, "scales what was read differently in each column before it is written back: each column "
                    "would need a triangular system of its own");
  for (auto &[read, coefficient] : result->coefficients)
    coefficient = divide ? symbols_.divide(coefficient, weight) : symbols_.multiply(coefficient, weight);
  result->free = divide ? symbols_.divide(result->free, factor) : symbols_.multiply(result->free, factor);
  return result;
}

std::optional<Feedback> FeedbackExtractor::choose(arith::SelectOp select) {
  Value condition = symbols_.scalarBehind(select.getCondition());
  if (!condition && vectorsToo_)
    condition = select.getCondition();
  if (!condition || depends(select.getCondition()))
    return stop(select, "chooses by what was read or differently in each column");
  auto a = extract(select.getTrueValue());
  auto b = a ? extract(select.getFalseValue()) : std::nullopt;
  if (!b)
    return std::nullopt;
  Feedback result{{}, symbols_.select(select.getCondition(), a->free, b->free)};
  Value zero = symbols_.constant(Float32Type::get(select.getContext()), 0);
  for (Feedback *side : {&*a, &*b})
    for (auto [read, coefficient] : side->coefficients)
      result.coefficients[read] = {};
  for (auto &[read, coefficient] : result.coefficients) {
    Value yes = a->coefficients.lookup(read), no = b->coefficients.lookup(read);
    yes = yes ? yes : zero;
    no = no ? no : zero;
    for (Value part : {condition, yes, no})
      if (isa<RankedTensorType>(part.getType())) {
        yes = symbols_.spread(yes, select.getType());
        no = symbols_.spread(no, select.getType());
      }
    coefficient = symbols_.select(condition, yes, no);
  }
  return result;
}

std::optional<Feedback> FeedbackExtractor::compute(Value value) {
  Type f32 = Float32Type::get(value.getContext());
  if (std::optional<unsigned> state = reads_.stateOf(value); state && llvm::is_contained(states_, *state)) {
    Feedback result{{}, symbols_.constant(value.getType(), 0)};
    result.coefficients[value] = symbols_.constant(f32, 1);
    return result;
  }
  if (!depends(value))
    return Feedback{{}, value};
  Operation *op = value.getDefiningOp();
  return llvm::TypeSwitch<Operation *, std::optional<Feedback>>(op)
      .Case<arith::AddFOp, arith::SubFOp>([&](Operation *) -> std::optional<Feedback> {
        auto a = extract(op->getOperand(0));
        auto b = a ? extract(op->getOperand(1)) : std::nullopt;
        return b ? std::optional(combine(*a, *b, isa<arith::SubFOp>(op))) : std::nullopt;
      })
      .Case([&](arith::NegFOp negate) -> std::optional<Feedback> {
        auto a = extract(negate.getOperand());
        return a ? std::optional(combine({{}, symbols_.constant(value.getType(), 0)}, *a, true))
                 : std::nullopt;
      })
      .Case([&](arith::MulFOp mul) -> std::optional<Feedback> {
        bool left = depends(mul.getLhs()), right = depends(mul.getRhs());
        if (left && right)
          return stop(op, "multiplies what was read by itself");
        return scale(op, left ? mul.getLhs() : mul.getRhs(), left ? mul.getRhs() : mul.getLhs());
      })
      .Case([&](arith::DivFOp div) -> std::optional<Feedback> {
        if (depends(div.getRhs()))
          return stop(op, "divides by what was read");
        return scale(op, div.getLhs(), div.getRhs());
      })
      .Case([&](pattern::BroadcastOp broadcast) -> std::optional<Feedback> {
        auto inner = extract(broadcast.getSource());
        if (inner)
          inner->free = symbols_.spread(inner->free, value.getType());
        return inner;
      })
      .Case([&](pattern::AssumeOp assume) { return extract(assume.getSource()); })
      .Case([&](arith::SelectOp select) { return choose(select); })
      .Default([&](Operation *) {
        return stop(op, "is on the path from the state to itself and is not linear in it");
      });
}
