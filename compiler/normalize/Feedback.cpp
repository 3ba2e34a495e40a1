// What a write owes to reads of the same state: w_i = v_i + sum_j M_ij y_j.
#include "compiler/normalize/Affine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace linmu {

namespace {
/// Extracts the feedback of one value; fails at the first op in which the reads are not linear with a
/// coefficient for the whole value.
struct FeedbackExtractor {
  AffineAnalysis &analysis;
  Symbols &symbols;
  llvm::function_ref<std::optional<unsigned>(Value)> ownRead;
  llvm::function_ref<bool(Value)> depends;
  llvm::DenseMap<Value, Feedback> &known; ///< what is extracted already
  bool vectorsToo;                        ///< coefficients may differ between the elements of the value
  Operation *culprit = nullptr;
  std::string reason;

  std::optional<Feedback> stop(Operation *op, const Twine &why) {
    culprit = op;
    reason = why.str();
    return std::nullopt;
  }

  Feedback combine(Feedback a, const Feedback &b, bool subtract) {
    for (auto [read, coefficient] : b.coefficients) {
      Value signedValue = subtract ? symbols.negate(coefficient) : coefficient;
      Value &slot = a.coefficients[read];
      slot = slot ? symbols.addSpread(slot, signedValue) : signedValue;
    }
    a.free = subtract ? symbols.subtract(a.free, b.free) : symbols.add(a.free, b.free);
    return a;
  }

  /// Each value once: what several sums share is not taken apart again.
  std::optional<Feedback> extract(Value value) {
    if (auto found = known.find(value); found != known.end())
      return found->second;
    std::optional<Feedback> result = compute(value);
    if (result)
      known[value] = *result;
    return result;
  }

  std::optional<Feedback> compute(Value value) {
    Type f32 = Float32Type::get(value.getContext());
    if (std::optional<unsigned> read = ownRead(value)) {
      Feedback result{{}, symbols.constant(value.getType(), 0)};
      result.coefficients[*read] = symbols.constant(f32, 1);
      return result;
    }
    if (!depends(value))
      return Feedback{{}, value};
    Operation *op = value.getDefiningOp();
    auto scaled = [&](Value inner, Value factor, bool divide) -> std::optional<Feedback> {
      auto result = extract(inner);
      if (!result)
        return result;
      Value weight = symbols.scalarBehind(factor);
      if (!weight && vectorsToo)
        weight = factor;
      if (!weight)
        return stop(op,
                    "scales what was read differently in each column before it is written back: each column "
                    "would need a triangular system of its own");
      for (auto &[read, coefficient] : result->coefficients)
        coefficient =
            divide ? symbols.divideSpread(coefficient, weight) : symbols.multiplySpread(coefficient, weight);
      result->free = divide ? symbols.divide(result->free, factor) : symbols.multiply(result->free, factor);
      return result;
    };
    return llvm::TypeSwitch<Operation *, std::optional<Feedback>>(op)
        .Case<arith::AddFOp, arith::SubFOp>([&](Operation *) -> std::optional<Feedback> {
          auto a = extract(op->getOperand(0));
          auto b = a ? extract(op->getOperand(1)) : std::nullopt;
          return b ? std::optional(combine(*a, *b, isa<arith::SubFOp>(op))) : std::nullopt;
        })
        .Case([&](arith::NegFOp negate) -> std::optional<Feedback> {
          auto a = extract(negate.getOperand());
          return a ? std::optional(combine({{}, symbols.constant(value.getType(), 0)}, *a, true))
                   : std::nullopt;
        })
        .Case([&](arith::MulFOp mul) -> std::optional<Feedback> {
          bool left = depends(mul.getLhs()), right = depends(mul.getRhs());
          if (left && right)
            return stop(op, "multiplies what was read by itself");
          return scaled(left ? mul.getLhs() : mul.getRhs(), left ? mul.getRhs() : mul.getLhs(), false);
        })
        .Case([&](arith::DivFOp div) -> std::optional<Feedback> {
          if (depends(div.getRhs()))
            return stop(op, "divides by what was read");
          return scaled(div.getLhs(), div.getRhs(), true);
        })
        .Case([&](pattern::BroadcastOp broadcast) -> std::optional<Feedback> {
          auto inner = extract(broadcast.getSource());
          if (inner)
            inner->free = symbols.spread(inner->free, value.getType());
          return inner;
        })
        .Case([&](pattern::AssumeOp assume) { return extract(assume.getSource()); })
        .Case([&](arith::SelectOp select) -> std::optional<Feedback> {
          Value condition = symbols.scalarBehind(select.getCondition());
          if (!condition && vectorsToo)
            condition = select.getCondition();
          if (!condition || depends(select.getCondition()))
            return stop(op, "chooses by what was read or differently in each column");
          auto a = extract(select.getTrueValue());
          auto b = a ? extract(select.getFalseValue()) : std::nullopt;
          if (!b)
            return std::nullopt;
          Feedback result{{}, symbols.select(select.getCondition(), a->free, b->free)};
          Value zero = symbols.constant(f32, 0);
          for (Feedback *side : {&*a, &*b})
            for (auto [read, coefficient] : side->coefficients)
              result.coefficients[read] = {};
          for (auto &[read, coefficient] : result.coefficients) {
            Value yes = a->coefficients.lookup(read), no = b->coefficients.lookup(read);
            yes = yes ? yes : zero;
            no = no ? no : zero;
            for (Value part : {condition, yes, no})
              if (isa<RankedTensorType>(part.getType())) {
                yes = symbols.spread(yes, value.getType());
                no = symbols.spread(no, value.getType());
              }
            coefficient = symbols.select(condition, yes, no);
          }
          return result;
        })
        .Default([&](Operation *) {
          return stop(op, "is on the path from the state to itself and is not linear in it");
        });
  }
};
} // namespace

bool AffineAnalysis::extractFeedback(unsigned state, unsigned write, Operation *at) {
  StateForm &form = states_[state];
  auto ownRead = [&](Value value) -> std::optional<unsigned> {
    auto found = readOf_.find(value);
    if (found == readOf_.end() || found->second.first != state)
      return std::nullopt;
    return found->second.second;
  };
  auto depends = [&](Value value) { return dependencies(value).contains(state); };
  bool vectorsToo = form.keyAxis < 0;
  FeedbackExtractor extractor{*this, symbols_, ownRead, depends, feedback_[state], vectorsToo, nullptr, {}};
  auto feedback = extractor.extract(form.writes[write].value);
  if (!feedback) {
    Operation *origin = origins_.lookup(extractor.culprit->getResult(0));
    // Without a key axis the state is one vector; along one, each of its elements would be a state.
    return fail("'" + extractor.culprit->getName().getStringRef() + "' " + extractor.reason,
                origin ? origin : at, form.keyAxis < 0 && isa<RankedTensorType>(form.slice) ? 2 : 0);
  }
  form.free.push_back(feedback->free);
  auto &terms = form.feedback.emplace_back();
  for (auto [read, coefficient] : feedback->coefficients)
    if (!symbols_.isConstant(coefficient, 0))
      terms.push_back({read, coefficient});
  return true;
}

} // namespace linmu
