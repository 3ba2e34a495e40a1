// Access to the parts of scan_adjoint, and its verifier.
#include "dialects/pattern/TokenLoop.h"

using namespace mlir;
using namespace linmu::pattern;

int64_t ScanAdjointOp::getHeads() {
  if (getInitGradients().empty())
    return 0;
  auto type = cast<RankedTensorType>(getInitGradients().front().getType());
  return type.getRank() > 1 ? type.getDimSize(1) : 0;
}
FormOp ScanAdjointOp::getForm() { return cast<FormOp>(getBody().getTerminator()); }
Type ScanAdjointOp::getStateSlice() {
  return sliceType(cast<RankedTensorType>(getInitGradients().front().getType()), 2);
}
Value ScanAdjointOp::getReadCotangent(int64_t read) {
  return lookupIndexed(getReadNumbers(), getReadCotangents(), read);
}
Value ScanAdjointOp::getWriteCotangent(int64_t write) {
  return lookupIndexed(getWriteNumbers(), getWriteCotangents(), write);
}

/// Those of all where no numbers are said.
static Value numbered(ArrayRef<int64_t> numbers, OperandRange values, unsigned wanted) {
  if (numbers.empty())
    return wanted < values.size() ? values[wanted] : Value();
  return lookupIndexed(numbers, values, wanted);
}
Value ScanAdjointOp::getInitOf(unsigned state) { return numbered(getInitNumbers(), getInits(), state); }
Value ScanAdjointOp::getFinalCotangentOf(unsigned state) {
  return numbered(getFinalNumbers(), getFinalCotangents(), state);
}

/// Tokens of the op's heads with this slice; of f32, bf16 or f16.
static RankedTensorType tokensOf(ScanAdjointOp op, Type slice) {
  SmallVector<int64_t> shape{ShapedType::kDynamic, ShapedType::kDynamic, op.getHeads()};
  if (auto tensor = dyn_cast<RankedTensorType>(slice))
    llvm::append_range(shape, tensor.getShape());
  return RankedTensorType::get(shape, Float32Type::get(op.getContext()));
}

bool linmu::pattern::isOfFloats(Value value, RankedTensorType expected) {
  auto type = cast<RankedTensorType>(value.getType());
  Type element = type.getElementType();
  return type.getShape() == expected.getShape() && (element.isF32() || element.isBF16() || element.isF16());
}

LogicalResult ScanAdjointOp::verify() {
  if (getInitGradients().empty())
    return emitOpError("requires the gradient of an initial state");
  auto state = cast<RankedTensorType>(getInitGradients().front().getType());
  if (std::string misfit = misfitOf(Part::state, state); !misfit.empty())
    return emitOpError("requires the gradient of the initial state ") << misfit;
  if (!state.getElementType().isF32())
    return emitOpError("requires the gradient of the initial state to have f32 elements, got ") << state;
  for (auto [name, values, numbers] :
       {std::tuple(StringRef("init"), ValueRange(getInits()), getInitNumbers()),
        std::tuple(StringRef("final_cotangent"), ValueRange(getFinalCotangents()), getFinalNumbers())}) {
    for (Value value : values)
      if (value.getType() != state)
        return emitOpError("requires ") << name << " to have type " << state << ", got " << value.getType();
    llvm::SmallDenseSet<int64_t> known(numbers.begin(), numbers.end());
    bool inRange =
        llvm::all_of(numbers, [&](int64_t number) { return number >= 0 && number < getNumStates(); });
    size_t count = numbers.empty() ? values.size() : numbers.size();
    if (count != values.size() || (!numbers.empty() && known.size() != count) || !inRange ||
        values.size() > getNumStates())
      return emitOpError("requires ") << name << " of different states out of " << getNumStates() << ", got "
                                      << values.size() << " of " << numbers.size() << " numbers";
  }
  for (Type type : getInitGradients().getTypes())
    if (type != state)
      return emitOpError("requires initial states of one type, got ") << state << " and " << type;
  if (getTokens().empty())
    return emitOpError("requires a token operand, which gives the batch and the number of tokens");
  for (auto [index, value] : llvm::enumerate(getTokens())) {
    auto type = cast<RankedTensorType>(value.getType());
    if (std::string misfit = misfitOf(Part::token, type); !misfit.empty())
      return emitOpError("requires token operand #") << index << " " << misfit;
    if (type.getRank() > 2 && getHeads() % type.getDimSize(2) != 0)
      return emitOpError("requires token operand #")
             << index << " to have a head count that divides " << getHeads() << ", got " << type.getDimSize(2)
             << " in " << type;
  }
  if (failed(verifyDynamic(*this, "order", getOrder())))
    return failure();
  return verifyDynamic(*this, "sequences", getSequences());
}

/// One number of a read or write for each cotangent, in range, none twice, and its type.
static LogicalResult verifyCotangents(ScanAdjointOp op, StringRef kind, ArrayRef<int64_t> numbers,
                                      OperandRange cotangents, int64_t limit, Type value) {
  if (numbers.size() != cotangents.size())
    return op.emitOpError("requires the number of a ")
           << kind << " for each of " << cotangents.size() << " cotangents, got " << numbers.size();
  RankedTensorType expected = tokensOf(op, value);
  for (auto [index, number] : llvm::enumerate(numbers)) {
    if (number < 0 || number >= limit || llvm::is_contained(numbers.drop_front(index + 1), number))
      return op.emitOpError("requires numbers of ")
             << kind << "s that differ, in [0, " << limit << "), got " << number;
    if (!isOfFloats(cotangents[index], expected))
      return op.emitOpError("requires the cotangent of ")
             << kind << " #" << number << " to have type " << expected << ", or of bf16 or f16, got "
             << cotangents[index].getType();
  }
  return success();
}

/// The operands of the form against the state.
static LogicalResult verifyForm(ScanAdjointOp op, FormOp form) {
  Type state = op.getStateSlice(), key = Float32Type::get(op.getContext());
  if (failed(verifyKeyAxis(form, state)))
    return failure();
  Type value = form.getValueType(state);
  if (int64_t axis = form.getKeyAxis(); axis >= 0)
    key = RankedTensorType::get({cast<RankedTensorType>(state).getDimSize(axis)}, key);
  auto expect = [&](OperandRange operands, StringRef kind, Type expected) -> LogicalResult {
    for (auto [index, operand] : llvm::enumerate(operands))
      if (operand.getType() != expected)
        return form.emitOpError("requires ") << kind << " #" << index << " to have type " << expected
                                             << " for a state " << state << ", got " << operand.getType();
    return success();
  };
  if (failed(expect(form.getReads(), "read key", key)) ||
      failed(expect(form.getWrites(), "write key", key)) || failed(expect(form.getValues(), "value", value)))
    return failure();
  Value decay = form.getDecay();
  if (decay && isa<RankedTensorType>(decay.getType()) && decay.getType() != key)
    return form.emitOpError("requires a decay of type f32 or ") << key << ", got " << decay.getType();
  if (Value decay = form.getValueDecay(); decay && decay.getType() != value)
    return form.emitOpError("requires a decay by value of type ") << value << ", got " << decay.getType();
  return success();
}

LogicalResult ScanAdjointOp::verifyRegions() {
  SmallVector<Type> expected;
  for (Value token : getTokens())
    expected.push_back(sliceType(cast<RankedTensorType>(token.getType()), 3));
  Block &body = getBody();
  if (body.getArgumentTypes() != TypeRange(expected))
    return emitOpError("requires a stage with arguments of types ")
           << TypeRange(expected) << ", got " << body.getArgumentTypes();
  if (failed(verifyStepOps(*this, body)))
    return failure();
  auto form = dyn_cast<FormOp>(body.back());
  if (!form)
    return emitOpError("requires its stage to end in 'pattern.form'");
  if (form.getStates() != getNumStates())
    return emitOpError("requires the gradient of an initial state for each of ")
           << form.getStates() << " states of the form, got " << getNumStates();
  if (failed(verifyForm(*this, form)))
    return failure();
  if (getGradients().size() != form.getDifferentiable().size())
    return emitOpError("requires a gradient for each of ")
           << form.getDifferentiable().size() << " operands of the form, got " << getGradients().size();
  for (auto [index, operand] : llvm::enumerate(form.getDifferentiable()))
    if (RankedTensorType type = tokensOf(*this, operand.getType()); !isOfFloats(getGradients()[index], type))
      return emitOpError("requires gradient #")
             << index << " to have type " << type << ", or of bf16 or f16, got "
             << getGradients()[index].getType();
  Type value = form.getValueType(getStateSlice());
  if (failed(verifyCotangents(*this, "read", getReadNumbers(), getReadCotangents(), form.getReads().size(),
                              value)))
    return failure();
  return verifyCotangents(*this, "write", getWriteNumbers(), getWriteCotangents(), form.getWrites().size(),
                          value);
}
