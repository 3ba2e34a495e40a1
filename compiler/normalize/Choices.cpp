// Selects that choose a state or leave it out, and what stands beside a state that is left out.
#include "compiler/normalize/StepForms.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;

std::optional<MatrixForm> StepForms::choose(Value condition, const MatrixForm &a, const MatrixForm &b,
                                            Operation *at) {
  Type f32 = Float32Type::get(at->getContext());
  Value one = symbols_.constant(f32, 1), zero = symbols_.constant(f32, 0);
  Value yes = symbols_.select(condition, one, zero), no = symbols_.select(condition, zero, one);
  // A term of the side not chosen is zero in all its parts, whatever its data hold.
  auto gate = [&](RankOne term, bool first) {
    bool any = false;
    for (Value *part : {&term.column, &term.row, &term.scale})
      if (*part) {
        Value none = symbols_.constant(part->getType(), 0);
        *part = first ? symbols_.select(condition, *part, none) : symbols_.select(condition, none, *part);
        any = true;
      }
    if (!any)
      term.scale = first ? yes : no;
    return term;
  };
  auto gateTerms = [&](MatrixForm &into, const MatrixForm &from, bool first) {
    for (const RankOne &term : from.terms)
      into.terms.push_back(gate(term, first));
  };
  // Scales of one state are chosen part by part, a scalar with the first part that differs: the range
  // of their product is then known from the choices.
  auto chooseScale = [&](RankOne first, RankOne second) {
    RankOne chosen = first;
    auto choosePart = [&](Value RankOne::*part) {
      Value ones = symbols_.constant((first.*part ? first.*part : second.*part).getType(), 1);
      chosen.*part =
          symbols_.select(condition, first.*part ? first.*part : ones, second.*part ? second.*part : ones);
    };
    for (Value RankOne::*part : {&RankOne::column, &RankOne::row}) {
      if (first.*part == second.*part)
        continue;
      Type type = (first.*part ? first.*part : second.*part).getType();
      for (RankOne *scale : {&first, &second})
        if (Value scalar = std::exchange(scale->scale, {})) {
          Value spread = symbols_.spread(scalar, type);
          scale->*part = scale->*part ? symbols_.multiply(scale->*part, spread) : spread;
        }
      choosePart(part);
      chosen.scale = {};
    }
    if (first.scale != second.scale)
      choosePart(&RankOne::scale);
    return chosen;
  };
  MatrixForm first, second;
  bool common = false;
  for (const StatePart &part : a.parts)
    if (const RankOne *other = b.scaleOf(part.state)) {
      first.parts.push_back({part.state, chooseScale(part.scale, *other)});
      common = true;
    }
  for (auto [form, from, other, side] : {std::tuple(&first, &a, &b, yes), std::tuple(&second, &b, &a, no)})
    for (StatePart part : from->parts)
      if (!other->scaleOf(part.state)) {
        part.scale.scale = multiplyParts(part.scale.scale, side, symbols_);
        choices_[side] = {condition, side == yes};
        form->parts.push_back(part);
      }
  gateTerms(first, a, true);
  gateTerms(common ? first : second, b, false);
  return add(first, second, at);
}

SmallVector<Choice> StepForms::choicesIn(Value product) const {
  SmallVector<Choice> result;
  llvm::SetVector<Value> parts;
  parts.insert(product);
  for (size_t next = 0; next < parts.size(); ++next) {
    Operation *op = parts[next].getDefiningOp();
    if (auto choice = choices_.find(parts[next]); choice != choices_.end() && isa<arith::SelectOp>(op))
      result.push_back(choice->second);
    else if (isa_and_nonnull<arith::MulFOp, arith::NegFOp, pattern::BroadcastOp>(op))
      parts.insert(op->operand_begin(), op->operand_end());
    else if (isa_and_nonnull<arith::DivFOp>(op))
      parts.insert(op->getOperand(0));
  }
  return result;
}
