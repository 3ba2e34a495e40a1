// From the yielded matrices to the form of each state: decay, writes, feedback.
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Expression.h"
#include "compiler/normalize/Logarithm.h"
#include "compiler/normalize/Sign.h"

using namespace mlir;

namespace linmu {

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
      scale = symbols_.addSpread(scale, coefficient);
    form.feedback[0].clear();
    form.writes[0].value = form.free[0];
    (isa<RankedTensorType>(scale.getType()) ? form.valueScale : form.scale) = scale;
  } else {
    auto found = matrixOf(yielded);
    if (!found)
      return fail("the next state is not of low rank", at);
    if (found->state >= 0 && found->state != int(state))
      return fail("the next state is made from another state", at);
    matrix = *found;
    Value across = form.keyAxis == 0 ? matrix.scale.row : matrix.scale.column;
    Value along = form.keyAxis == 0 ? matrix.scale.column : matrix.scale.row;
    if (matrix.state >= 0) {
      form.scale = along;
      form.valueScale = across;
      // What all elements keep goes with the rows, where these differ.
      if (Value scalar = matrix.scale.scale) {
        Value &with = across && !along ? form.valueScale : form.scale;
        with = with ? symbols_.multiplySpread(with, scalar) : scalar;
      }
    } else {
      form.scale = symbols_.constant(f32, 0);
    }
    for (Value scale : {form.scale, form.valueScale})
      if (dependencies(scale).contains(state))
        return fail("the decay depends on what was read from the same state", originOf(scale, at));
    // Terms with one key become one write.
    for (const RankOne &term : matrix.terms) {
      Value key = form.keyAxis == 0 ? term.column : term.row,
            value = form.keyAxis == 0 ? term.row : term.column;
      if (!key)
        key = symbols_.constant(form.keyType, 1);
      if (!value)
        value = symbols_.constant(form.valueType, 1);
      if (term.scale)
        value = symbols_.multiplySpread(value, term.scale);
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
        return fail("the key of a write depends on what was read from the same state",
                    originOf(form.writes[write].key, at));
      if (form.valueScale && dependencies(form.writes[write].value).contains(state))
        return fail("the decay differs between value columns, beside feedback: each column would need "
                    "a triangular system of its own",
                    originOf(form.valueScale, at), true);
      if (!extractFeedback(state, write, at))
        return false;
    }
  }
  return finishDecay(state, form.scale, form.decay, form.sign, at) &&
         finishDecay(state, form.valueScale, form.valueDecay, form.valueSign, at);
}

bool AffineAnalysis::finishDecay(unsigned state, Value factor, Value &decay, Value &sign, Operation *at) {
  if (!factor || symbols_.isConstant(factor, 1))
    return true;
  if (dependencies(factor).contains(state))
    return fail("the decay depends on what was read from the same state", originOf(factor, at));
  Range range = symbols_.rangeOf(factor);
  if (!(range.low >= -1 && range.high <= 1)) {
    auto name = [&](BlockArgument argument) { return nameOfArgument(scan_, argument.getArgNumber()); };
    return fail("the decay " + expressionOf(factor, name) + " is not known to be " +
                    (range.low >= 0 ? "at most 1" : "in [-1, 1]") + "; state its range with pattern.assume",
                originOf(factor, at));
  }
  decay = logarithmOf(factor, symbols_);
  sign = signOf(factor, symbols_);
  return true;
}

void AffineAnalysis::makeReadsInclusive() {
  auto sameTerm = [](const RankOne &a, const RankOne &b) {
    return a.column == b.column && a.row == b.row && a.scale == b.scale;
  };
  llvm::DenseMap<Value, Value> inclusive;
  for (const ReadOfMatrix &read : matrixReads_) {
    unsigned state = read.matrix.state;
    Value yielded = scan_.getYield().getStates()[state];
    auto next = matrixOf(yielded);
    // What is the state before this token as well is better read there.
    bool unchanged = read.matrix.terms.empty() && sameTerm(read.matrix.scale, {});
    if (!next || next->state != int(state) || unchanged || !sameTerm(read.matrix.scale, next->scale) ||
        read.matrix.terms.size() != next->terms.size())
      continue;
    bool same = llvm::all_of(read.matrix.terms, [&](const RankOne &term) {
      return llvm::count_if(read.matrix.terms, [&](const RankOne &other) { return sameTerm(term, other); }) ==
             llvm::count_if(next->terms, [&](const RankOne &other) { return sameTerm(term, other); });
    });
    if (same)
      inclusive[read.result] = readSymbol(state, read.key, true, read.result.getLoc());
  }
  if (!inclusive.empty())
    for (Value &output : outputs_)
      output = symbols_.substitute(output, inclusive);
}

bool AffineAnalysis::run() {
  for (auto [index, argument] : llvm::enumerate(scan_.getStateArguments())) {
    StateForm &form = states_[index];
    behind_[argument] = llvm::BitVector(states_.size());
    behind_[argument].set(index);
    if (form.keyAxis >= 0)
      matrices_[argument] = {int(index), {}, {}};
    else
      free_[argument] = readSymbol(index, symbols_.constant(form.keyType, 1), false, argument.getLoc());
  }
  auto wholeStates = [&](ValueRange values) {
    SmallVector<unsigned> states;
    for (Value value : values)
      if (dependsOnState(value) && !llvm::is_contained(states, unsigned(matrices_[value].state)))
        states.push_back(matrices_[value].state);
    return states;
  };
  for (Operation &op : scan_.getBody().without_terminator()) {
    suspect(op.getOperands(), wholeStates(op.getOperands()));
    if (!visit(op))
      return false;
    llvm::BitVector behind(states_.size());
    for (Value operand : op.getOperands())
      if (auto found = behind_.find(operand); found != behind_.end())
        behind |= found->second;
    if (behind.any())
      for (Value result : op.getResults())
        behind_[result] = behind;
  }
  SmallVector<unsigned> every;
  for (unsigned state = 0; state < states_.size(); ++state) {
    every.push_back(state);
    suspect(scan_.getYield().getStates()[state], state);
    if (!finishState(state))
      return false;
  }
  for (Value output : scan_.getYield().getOutputs()) {
    suspect(output, wholeStates(output));
    auto value = freeOf(output, scan_.getYield());
    if (!value)
      return false;
    outputs_.push_back(*value);
  }
  makeReadsInclusive();
  suspects_ = every;
  return orderStrata();
}

} // namespace linmu
