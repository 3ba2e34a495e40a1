// From the yielded matrices to the form of each state: decay, writes, feedback, and the strata.
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Logarithm.h"
#include "compiler/normalize/Ranges.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace linmu {

/// An expression as sum of scalar * read plus what is free of the state's reads.
namespace {
struct Feedback {
  llvm::MapVector<unsigned, Value> coefficients;
  Value free;
};

/// Extracts the feedback of one value; fails at the first op in which the reads are not linear with a
/// coefficient for the whole value.
struct FeedbackExtractor {
  AffineAnalysis &analysis;
  Symbols &symbols;
  llvm::function_ref<std::optional<unsigned>(Value)> ownRead;
  llvm::function_ref<bool(Value)> depends;
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
      slot = slot ? symbols.add(slot, signedValue) : signedValue;
    }
    a.free = subtract ? symbols.subtract(a.free, b.free) : symbols.add(a.free, b.free);
    return a;
  }

  std::optional<Feedback> extract(Value value) {
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
      Value scalar = symbols.scalarBehind(factor);
      if (!scalar)
        return stop(op, "scales what was read differently in each column before it is written back");
      for (auto &[read, coefficient] : result->coefficients)
        coefficient = divide ? symbols.divide(coefficient, scalar) : symbols.multiply(coefficient, scalar);
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
            coefficient = symbols.select(condition, yes ? yes : zero, no ? no : zero);
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
  FeedbackExtractor extractor{*this, symbols_, ownRead, depends, nullptr, {}};
  auto feedback = extractor.extract(form.writes[write].value);
  if (!feedback) {
    Operation *origin = origins_.lookup(extractor.culprit->getResult(0));
    return fail("'" + extractor.culprit->getName().getStringRef() + "' " + extractor.reason,
                origin ? origin : at);
  }
  form.free.push_back(feedback->free);
  auto &terms = form.feedback.emplace_back();
  for (auto [read, coefficient] : feedback->coefficients)
    if (!symbols_.isConstant(coefficient, 0))
      terms.push_back({read, coefficient});
  return true;
}

bool AffineAnalysis::finishState(unsigned state) {
  StateForm &form = states_[state];
  Value yielded = scan_.getYield().getStates()[state];
  Operation *at = yielded.getDefiningOp() ? yielded.getDefiningOp() : scan_.getOperation();
  symbols_.setLocation(at->getLoc());
  Type f32 = Float32Type::get(scan_.getContext());
  MatrixForm matrix;
  if (form.keyAxis < 0) {
    // S' = decay * S + v for the whole vector: the state itself is the read with key one.
    Value value = free_.lookup(yielded);
    if (!value)
      return fail("the next state is not a vector of this token", at);
    Value one = symbols_.constant(f32, 1);
    form.writes.push_back({one, value});
    if (!extractFeedback(state, 0, at))
      return false;
    Value scale = symbols_.constant(f32, 0);
    for (auto [read, coefficient] : form.feedback[0])
      scale = symbols_.add(scale, coefficient);
    form.feedback[0].clear();
    form.writes[0].value = form.free[0];
    form.scale = scale;
  } else {
    auto found = matrixOf(yielded);
    if (!found || (found->state >= 0 && found->state != int(state)))
      return fail("the next state is made from another state", at);
    matrix = *found;
    Value across = form.keyAxis == 0 ? matrix.scale.row : matrix.scale.column;
    Value along = form.keyAxis == 0 ? matrix.scale.column : matrix.scale.row;
    if (matrix.state >= 0 && across)
      return fail("the decay differs between value columns", at);
    Value scalar = matrix.scale.scale;
    if (matrix.state < 0)
      form.scale = symbols_.constant(f32, 0);
    else if (along)
      form.scale = scalar ? symbols_.multiply(along, symbols_.spread(scalar, along.getType())) : along;
    else
      form.scale = scalar ? scalar : symbols_.constant(f32, 1);
    // Terms with one key become one write.
    for (const RankOne &term : matrix.terms) {
      Value key = form.keyAxis == 0 ? term.column : term.row,
            value = form.keyAxis == 0 ? term.row : term.column;
      if (!key)
        key = symbols_.constant(form.keyType, 1);
      if (!value)
        value = symbols_.constant(form.valueType, 1);
      if (term.scale)
        value = symbols_.multiply(value, symbols_.spread(term.scale, value.getType()));
      // A scalar factor of the key belongs to the value, so that equal keys meet.
      bool merged = false;
      for (StateWrite &write : form.writes)
        if (write.key == key) {
          write.value = symbols_.add(write.value, value);
          merged = true;
        }
      if (!merged)
        form.writes.push_back({key, value});
    }
    for (unsigned write = 0; write < form.writes.size(); ++write) {
      if (dependencies(form.writes[write].key).contains(state))
        return fail("the key of a write depends on what was read from the same state", at);
      if (!extractFeedback(state, write, at))
        return false;
    }
  }
  if (dependencies(form.scale).contains(state))
    return fail("the decay depends on what was read from the same state", at);
  Range range = rangeOf(form.scale);
  if (symbols_.isConstant(form.scale, 1))
    return true;
  if (!(range.low >= 0 && range.high <= 1)) {
    Value culprit = form.scale;
    Operation *origin = culprit.getDefiningOp() ? origins_.lookup(culprit) : nullptr;
    return fail("the decay is not known to lie in [0, 1]; state its range, or that of its logarithm, with "
                "pattern.assume",
                origin ? origin : at);
  }
  form.decay = logarithmOf(form.scale, symbols_);
  return true;
}

bool AffineAnalysis::orderStrata() {
  SmallVector<llvm::SmallDenseSet<unsigned>> needs(states_.size());
  for (auto [index, form] : llvm::enumerate(states_)) {
    auto need = [&](Value value) {
      for (unsigned other : dependencies(value))
        needs[index].insert(other);
    };
    if (form.decay)
      need(form.decay);
    for (const StateWrite &write : form.writes)
      need(write.key);
    for (Value value : form.free)
      need(value);
    for (auto &terms : form.feedback)
      for (auto [read, coefficient] : terms)
        need(coefficient);
    for (const StateRead &read : form.reads) {
      if (dependencies(read.key).contains(index))
        return fail("a read's key depends on what was read from the same state", scan_);
      need(read.key);
    }
    if (needs[index].contains(index))
      return fail("the state depends on its own reads outside the feedback", scan_);
  }
  llvm::SmallDenseSet<unsigned> done;
  while (strata_.size() < states_.size()) {
    bool progress = false;
    for (unsigned state = 0; state < states_.size(); ++state)
      if (!done.contains(state) &&
          llvm::all_of(needs[state], [&](unsigned other) { return done.contains(other); })) {
        strata_.push_back(state);
        done.insert(state);
        progress = true;
      }
    if (!progress) {
      std::string names;
      for (unsigned state = 0; state < states_.size(); ++state)
        if (!done.contains(state))
          names += (names.empty() ? "#" : ", #") + std::to_string(state);
      return fail("the states " + names + " depend on each other", scan_);
    }
  }
  return true;
}

bool AffineAnalysis::run() {
  for (auto [index, argument] : llvm::enumerate(scan_.getStateArguments())) {
    StateForm &form = states_[index];
    if (form.keyAxis >= 0)
      matrices_[argument] = {int(index), {}, {}};
    else
      free_[argument] = readSymbol(index, symbols_.constant(form.keyType, 1), false, argument.getLoc());
  }
  for (Operation &op : scan_.getBody().without_terminator())
    if (!visit(op))
      return false;
  for (unsigned state = 0; state < states_.size(); ++state)
    if (!finishState(state))
      return false;
  for (Value output : scan_.getYield().getOutputs()) {
    auto value = freeOf(output, scan_.getYield());
    if (!value)
      return false;
    outputs_.push_back(*value);
  }
  return orderStrata();
}

} // namespace linmu
