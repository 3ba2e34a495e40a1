#include "compiler/normalize/StepForms.h"

using namespace mlir;
using namespace linmu;

StepForms::StepForms(pattern::ScanOp scan, Symbols &symbols, ArrayRef<StateForm> states, StateReads &reads,
                     Diagnosis &diagnosis)
    : scan_(scan), symbols_(symbols), states_(states), reads_(reads), diagnosis_(diagnosis),
      arithmetic_(symbols, scan.getContext()), summands_(symbols, reads) {
  for (BlockArgument argument : scan.getBody().getArguments())
    if (!llvm::is_contained(scan.getStateArguments(), argument))
      free_[argument] = symbols.addArgument(argument.getType(), argument.getLoc());
  for (auto [index, argument] : llvm::enumerate(scan.getStateArguments())) {
    const StateForm &form = states[index];
    if (form.keyAxis >= 0)
      matrices_[argument] = {{{unsigned(index), {}}}, {}};
    else
      free_[argument] =
          reads.symbolOf(index, symbols.constant(form.keyType, 1), /*inclusive=*/false, argument.getLoc());
  }
}

bool StepForms::dependsOnState(Value value) const {
  auto found = matrices_.find(value);
  return found != matrices_.end() && !found->second.isFree();
}

std::optional<Value> StepForms::freeOf(Value value, Operation *at) {
  if (auto found = free_.find(value); found != free_.end())
    return found->second;
  bool state = dependsOnState(value);
  bool vector = cast<RankedTensorType>(value.getType()).getRank() == 1;
  diagnosis_.fail(quotedName(at) + (state ? " needs the whole state at once" : " needs a whole matrix"), at,
                  state ? 1 + vector : 0);
  return std::nullopt;
}

std::optional<MatrixForm> StepForms::matrixOf(Value value) {
  if (auto found = matrices_.find(value); found != matrices_.end())
    return found->second;
  auto found = free_.find(value);
  auto vector = dyn_cast<RankedTensorType>(value.getType());
  if (found == free_.end() || !vector || vector.getRank() != 1)
    return std::nullopt;
  // A vector along the key axis, as a matrix of one column.
  MatrixForm form;
  for (auto [column, scale] : summands_.of(found->second))
    form.terms.push_back(arithmetic_.factored({column, {}, scale}));
  return form;
}

SmallVector<unsigned> StepForms::wholeStates(ValueRange values) const {
  SmallVector<unsigned> states;
  for (Value value : values)
    if (auto found = matrices_.find(value); found != matrices_.end())
      for (const StatePart &part : found->second.parts)
        if (!llvm::is_contained(states, part.state))
          states.push_back(part.state);
  return states;
}

std::optional<MatrixForm> StepForms::add(const MatrixForm &a, const MatrixForm &b, Operation *at) {
  auto sum = isa<arith::SubFOp>(at) ? arithmetic_.subtract(a, b) : arithmetic_.add(a, b);
  if (!sum)
    diagnosis_.fail(quotedName(at) + " scales the state by a full matrix", at);
  return sum;
}

std::optional<Value> StepForms::contract(const MatrixForm &matrix, int axis, Value vector, Value source,
                                         Type result, Operation *at) {
  auto part = [&](const RankOne &term, int which) { return which == 0 ? term.column : term.row; };
  auto scaled = [&](Value value, const RankOne &term) {
    Value rest = part(term, 1 - axis);
    if (rest)
      value = symbols_.multiply(rest, value);
    return term.scale ? symbols_.multiply(symbols_.spread(value, result), symbols_.spread(term.scale, result))
                      : symbols_.spread(value, result);
  };
  Type vectorType = vector ? vector.getType() : Type();
  if (!vector) {
    auto type = cast<RankedTensorType>(source.getType());
    vectorType = RankedTensorType::get({type.getDimSize(axis)}, type.getElementType());
    vector = symbols_.constant(vectorType, 1);
  }
  // A scalar factor of the key scales what was read, so that reads with equal keys meet.
  auto [plain, factor] = arithmetic_.factor(vector);
  if (factor) {
    if (!plain)
      plain = symbols_.constant(vectorType, 1);
    auto value = contract(matrix, axis, plain, source, result, at);
    return value ? std::optional(symbols_.multiply(*value, factor)) : value;
  }
  // A state that the step yields is read as it is, this token's writes included.
  for (const StatePart &whole : matrix.parts)
    if (source == scan_.getYield().getStates()[whole.state] && states_[whole.state].keyAxis == axis)
      return reads_.symbolOf(whole.state, vector, true, at->getLoc());
  Value sum;
  auto accumulate = [&](Value value) { sum = sum ? symbols_.add(sum, value) : value; };
  for (const auto &[state, scale] : matrix.parts) {
    if (states_[state].keyAxis != axis) {
      diagnosis_.fail(quotedName(at) + " reads the state along an axis other than its key's", at, 2);
      return std::nullopt;
    }
    Value key = multiplyParts(part(scale, axis), vector, symbols_);
    Value read = reads_.symbolOf(state, key, false, at->getLoc());
    diagnosis_.addOrigin(read, at);
    if (Value across = part(scale, 1 - axis))
      read = symbols_.multiply(read, across);
    if (scale.scale)
      read = symbols_.multiply(read, scale.scale);
    accumulate(read);
  }
  for (const RankOne &term : matrix.terms) {
    Value own = part(term, axis);
    accumulate(scaled(symbols_.dot(own ? own : symbols_.constant(vectorType, 1), vector), term));
  }
  if (!sum)
    sum = symbols_.constant(result, 0);
  if (!matrix.isFree())
    matrixReads_.push_back({matrix, vector, sum});
  return sum;
}
