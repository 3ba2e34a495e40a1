// From the yielded matrices to the form of each state: decay, writes, feedback.
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Expression.h"
#include "compiler/normalize/Logarithm.h"

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
    form.scale = scale;
    form.decayByValue = isa<RankedTensorType>(scale.getType());
  } else {
    auto found = matrixOf(yielded);
    if (!found)
      return fail("the next state is not of low rank", at);
    if (found->state >= 0 && found->state != int(state))
      return fail("the next state is made from another state", at);
    matrix = *found;
    Value across = form.keyAxis == 0 ? matrix.scale.row : matrix.scale.column;
    Value along = form.keyAxis == 0 ? matrix.scale.column : matrix.scale.row;
    if (matrix.state >= 0 && across && along)
      return fail("the decay differs both between rows and between value columns", originOf(across, at),
                  true);
    form.decayByValue = matrix.state >= 0 && across;
    Value vector = form.decayByValue ? across : along;
    Value scalar = matrix.scale.scale;
    if (matrix.state < 0)
      form.scale = symbols_.constant(f32, 0);
    else if (vector)
      form.scale = scalar ? symbols_.multiplySpread(vector, scalar) : vector;
    else
      form.scale = scalar ? scalar : symbols_.constant(f32, 1);
    if (dependencies(form.scale).contains(state))
      return fail("the decay depends on what was read from the same state", originOf(form.scale, at));
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
      if (form.decayByValue && dependencies(form.writes[write].value).contains(state))
        return fail("the decay differs between value columns, beside feedback", originOf(form.scale, at),
                    true);
      if (!extractFeedback(state, write, at))
        return false;
    }
  }
  return finishDecay(state, at);
}

bool AffineAnalysis::finishDecay(unsigned state, Operation *at) {
  StateForm &form = states_[state];
  if (dependencies(form.scale).contains(state))
    return fail("the decay depends on what was read from the same state", originOf(form.scale, at));
  if (symbols_.isConstant(form.scale, 1))
    return true;
  Range range = symbols_.rangeOf(form.scale);
  if (!(range.low >= 0 && range.high <= 1)) {
    auto name = [&](BlockArgument argument) { return nameOfArgument(scan_, argument.getArgNumber()); };
    return fail("the decay " + expressionOf(form.scale, name) + " is not known to be at " +
                    (range.low >= 0 ? "most 1" : "least 0") + "; state its range with pattern.assume",
                originOf(form.scale, at));
  }
  form.decay = logarithmOf(form.scale, symbols_);
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
