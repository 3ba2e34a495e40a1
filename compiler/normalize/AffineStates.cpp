// From the yielded matrices to the form of each state: decay, writes, feedback.
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Expression.h"
#include "compiler/normalize/Sign.h"

using namespace mlir;
using namespace linmu;

bool AffineAnalysis::takeFeedback(unsigned state, FeedbackExtractor &extractor, Operation *at) {
  StateForm &form = states_[state];
  auto feedback = extractor.extract(form.writes[form.free.size()].value);
  if (!feedback) {
    Operation *culprit = extractor.culprit(), *origin = diagnosis_.madeBy(culprit->getResult(0));
    // Without a key axis the state is one vector; along one, each of its elements would be a state.
    return diagnosis_.fail(quotedName(culprit) + " " + extractor.reason(), origin ? origin : at,
                           form.keyAxis < 0 && isa<RankedTensorType>(form.slice) ? 2 : 0);
  }
  form.free.push_back(feedback->free);
  auto &terms = form.feedback.emplace_back();
  for (auto [read, coefficient] : feedback->coefficients)
    if (!isConstant(coefficient, 0))
      terms.push_back({read, coefficient});
  return true;
}

bool AffineAnalysis::finishWithoutKey(unsigned state, Operation *at) {
  StateForm &form = states_[state];
  Value yielded = scan_.getYield().getStates()[state];
  // S' = decay * S + v for the whole vector: the state itself is the read with key one.
  Value value = forms_.expressionOf(yielded);
  if (!value)
    return diagnosis_.fail("the next state is not a vector of this token", at);
  Type f32 = Float32Type::get(scan_.getContext());
  Value one = symbols_.constant(f32, 1);
  form.writes.push_back({one, value});
  FeedbackExtractor extractor(symbols_, reads_, groups_[state], /*vectorsToo=*/true);
  if (!takeFeedback(state, extractor, at))
    return false;
  if (isCoupled(state)) {
    for (auto [read, coefficient] : form.feedback[0]) {
      if (!isa<FloatType>(coefficient.getType()))
        return failMixed(coefficient, at);
      form.coupling.push_back({*reads_.stateOf(read), coefficient});
    }
    form.feedback[0].clear();
    form.writes[0].value = form.free[0];
    return true;
  }
  Value scale = symbols_.constant(f32, 0);
  for (auto [read, coefficient] : form.feedback[0])
    scale = symbols_.add(scale, coefficient);
  form.feedback[0].clear();
  form.writes[0].value = form.free[0];
  (isa<RankedTensorType>(scale.getType()) ? form.valueScale : form.scale) = scale;
  return true;
}

bool AffineAnalysis::finishWithKey(unsigned state, Operation *at) {
  StateForm &form = states_[state];
  Value yielded = scan_.getYield().getStates()[state];
  auto matrix = forms_.matrixOf(yielded);
  if (!matrix)
    return diagnosis_.fail("the next state is not of low rank", at);
  if (isCoupled(state) && !finishCoupling(state, *matrix, at))
    return false;
  const RankOne *scale = isCoupled(state) ? nullptr : matrix->scaleOf(state);
  if (scale) {
    Value across = form.keyAxis == 0 ? scale->row : scale->column;
    Value along = form.keyAxis == 0 ? scale->column : scale->row;
    form.scale = along;
    form.valueScale = across;
    // What all elements keep goes with the rows, where these differ.
    if (Value scalar = scale->scale) {
      Value &with = across && !along ? form.valueScale : form.scale;
      with = with ? symbols_.multiply(with, scalar) : scalar;
    }
  } else if (!isCoupled(state)) {
    form.scale = symbols_.constant(Float32Type::get(scan_.getContext()), 0);
  }
  for (Value scale : {form.scale, form.valueScale})
    if (dependsOn(scale, state))
      return diagnosis_.fail("the decay depends on what was read from the same state",
                             diagnosis_.originOf(scale, at));
  // Terms with one key become one write.
  for (const RankOne &term : matrix->terms) {
    Value key = form.keyAxis == 0 ? term.column : term.row,
          value = form.keyAxis == 0 ? term.row : term.column;
    if (!key)
      key = symbols_.constant(form.keyType, 1);
    if (!value)
      value = symbols_.constant(form.valueType, 1);
    if (term.scale)
      value = symbols_.multiply(value, term.scale);
    bool merged = false;
    for (StateWrite &write : form.writes)
      if (write.key == key) {
        write.value = symbols_.add(write.value, value);
        merged = true;
      }
    if (!merged)
      form.writes.push_back({key, value});
  }
  FeedbackExtractor extractor(symbols_, reads_, groups_[state], /*vectorsToo=*/false);
  for (unsigned write = 0; write < form.writes.size(); ++write) {
    if (dependsOn(form.writes[write].key, state))
      return diagnosis_.fail("the key of a write depends on what was read from the same state",
                             diagnosis_.originOf(form.writes[write].key, at));
    if (form.valueScale && dependsOn(form.writes[write].value, state))
      return diagnosis_.fail(
          "the decay differs between value columns, beside feedback: each column would need "
          "a triangular system of its own",
          diagnosis_.originOf(form.valueScale, at), true);
    if (!takeFeedback(state, extractor, at))
      return false;
  }
  return true;
}

bool AffineAnalysis::finishState(unsigned state) {
  StateForm &form = states_[state];
  Value yielded = scan_.getYield().getStates()[state];
  Operation *at = yielded.getDefiningOp() ? yielded.getDefiningOp() : scan_.getOperation();
  symbols_.setLocation(at->getLoc());
  return (form.keyAxis < 0 ? finishWithoutKey(state, at) : finishWithKey(state, at)) &&
         finishDecay(state, form.scale, form.decay, form.sign, at) &&
         finishDecay(state, form.valueScale, form.valueDecay, form.valueSign, at);
}

bool AffineAnalysis::finishDecay(unsigned state, Value factor, Value &decay, Value &sign, Operation *at) {
  if (!factor || isConstant(factor, 1))
    return true;
  if (dependsOn(factor, state))
    return diagnosis_.fail("the decay depends on what was read from the same state",
                           diagnosis_.originOf(factor, at));
  Range range = symbols_.rangeOf(factor);
  if (!(range.low >= -1 && range.high <= 1)) {
    auto name = [&](BlockArgument argument) { return nameOfArgument(scan_, argument.getArgNumber()); };
    return diagnosis_.fail("the decay " + expressionOf(factor, name) + " is not known to be " +
                               (range.low >= 0 ? "at most 1" : "in [-1, 1]") +
                               "; state its range with pattern.assume",
                           diagnosis_.originOf(factor, at));
  }
  decay = logarithms_.of(factor);
  sign = signOf(factor, symbols_);
  return true;
}

void AffineAnalysis::makeReadsInclusive() {
  auto sameTerm = [](const RankOne &a, const RankOne &b) {
    return a.column == b.column && a.row == b.row && a.scale == b.scale;
  };
  llvm::DenseMap<Value, Value> inclusive;
  auto sameParts = [&](const MatrixForm &a, const MatrixForm &b) {
    return a.parts.size() == b.parts.size() && llvm::all_of(a.parts, [&](const StatePart &part) {
             const RankOne *other = b.scaleOf(part.state);
             return other && sameTerm(part.scale, *other);
           });
  };
  for (const ReadOfMatrix &read : forms_.matrixReads())
    for (const StatePart &part : read.matrix.parts) {
      auto next = forms_.matrixOf(scan_.getYield().getStates()[part.state]);
      // What is the state before this token as well is better read there.
      bool unchanged = read.matrix.terms.empty() && read.matrix.parts.size() == 1 && sameTerm(part.scale, {});
      if (!next || unchanged || !sameParts(read.matrix, *next) ||
          read.matrix.terms.size() != next->terms.size())
        continue;
      bool same = llvm::all_of(read.matrix.terms, [&](const RankOne &term) {
        auto count = [&](ArrayRef<RankOne> terms) {
          return llvm::count_if(terms, [&](const RankOne &other) { return sameTerm(term, other); });
        };
        return count(read.matrix.terms) == count(next->terms);
      });
      if (same) {
        inclusive[read.result] = reads_.symbolOf(part.state, read.key, true, read.result.getLoc());
        break;
      }
    }
  if (!inclusive.empty())
    for (Value &output : outputs_)
      output = substitute(output, inclusive, symbols_);
}
