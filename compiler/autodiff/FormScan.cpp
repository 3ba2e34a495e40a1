#include "compiler/autodiff/FormScan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

Value FormOperand::in(LoopBuilder &loop) const {
  return tensor ? loop.token(tensor) : Value(arith::ConstantOp::create(loop.step(), number));
}

Type FormScan::valueType() const {
  Type slice = sliceType(state, 2);
  auto tensor = dyn_cast<RankedTensorType>(slice);
  if (!tensor || (tensor.getRank() == 1 && keyAxis == 0))
    return Float32Type::get(state.getContext());
  return tensor.getRank() == 1
             ? slice
             : RankedTensorType::get({tensor.getDimSize(1 - keyAxis)}, tensor.getElementType());
}

SmallVector<Value> FormScan::buildStage(Block &form, Location location) const {
  StepBuilder step(location, walk.like.getContext());
  step.setInsertionPointToEnd(&form);
  SmallVector<Value> tokens;
  auto argument = [&](Value tensor) -> Value {
    for (auto [index, known] : llvm::enumerate(tokens))
      if (known == tensor)
        return form.getArgument(index);
    tokens.push_back(tensor);
    return form.addArgument(sliceType(cast<RankedTensorType>(tensor.getType()), 3), location);
  };
  auto in = [&](const FormOperand &operand) -> Value {
    return operand.tensor ? argument(operand.tensor) : Value(arith::ConstantOp::create(step, operand.number));
  };
  auto all = [&](ArrayRef<FormOperand> operands) {
    SmallVector<Value> values;
    for (const FormOperand &operand : operands)
      values.push_back(in(operand));
    return values;
  };
  auto optional = [&](const FormOperand &operand) { return operand ? in(operand) : Value(); };
  Value g = optional(decay), h = optional(valueDecay), s = optional(sign), t = optional(valueSign);
  SmallVector<Value> r = all(reads), k = all(writes), v = all(values), m;
  SmallVector<int64_t> index;
  for (const Feedback &term : feedback) {
    m.push_back(in(term.factor));
    index.append({int64_t(term.write), int64_t(term.read)});
  }
  if (tokens.empty())
    argument(walk.like);
  FormOp::create(step, g, h, r, k, v, m, s, t, index, inclusive, keyAxis);
  return tokens;
}

FormScan::Results FormScan::create(OpBuilder &at, Location location) const {
  Region stage, finish;
  Block &form = stage.emplaceBlock(), &end = finish.emplaceBlock();
  SmallVector<Value> tokens = buildStage(form, location);
  for (Type slice : form.getArgumentTypes())
    end.addArgument(slice, location);
  SmallVector<Value> yielded;
  SmallVector<Type> types;
  for (size_t i = 0; i < reads.size() + writes.size(); ++i) {
    yielded.push_back(end.addArgument(valueType(), location));
    types.push_back(tokensOf(walk.heads, valueType()));
  }
  StepBuilder step(location, at.getContext());
  step.setInsertionPointToEnd(&end);
  YieldOp::create(step, yielded, ValueRange{});
  types.push_back(state);

  OperationState op(location, NormalScanOp::getOperationName());
  SmallVector<int32_t> sizes;
  auto addOperands = [&](ValueRange range) {
    sizes.push_back(range.size());
    op.addOperands(range);
  };
  auto optional = [](const Value &value) { return value ? ValueRange(value) : ValueRange(); };
  addOperands({}); // params
  addOperands(tokens);
  addOperands({}); // tails
  addOperands(optional(init));
  addOperands(optional(walk.order));
  addOperands(optional(walk.sequences));
  op.addTypes(types);
  op.addAttribute("operandSegmentSizes", at.getDenseI32ArrayAttr(sizes));
  op.addAttribute("resultSegmentSizes",
                  at.getDenseI32ArrayAttr(ArrayRef<int32_t>{int32_t(types.size() - 1), 1, 0}));
  if (walk.reverse)
    op.addAttribute("reverse", at.getUnitAttr());
  if (init)
    op.addAttribute("init_owners", at.getDenseI64ArrayAttr(ArrayRef<int64_t>{0}));
  op.addRegion()->takeBody(stage);
  op.addRegion()->takeBody(finish);
  return resultsOf(cast<NormalScanOp>(at.create(op)));
}

SmallVector<FormOperand> FormScan::operands() const {
  SmallVector<FormOperand> all;
  if (decay)
    all.push_back(decay);
  if (valueDecay)
    all.push_back(valueDecay);
  for (const auto *operands : {&reads, &writes, &values})
    all.append(*operands);
  for (const Feedback &term : feedback)
    all.push_back(term.factor);
  return all;
}

ScanAdjointOp FormScan::createAdjoint(OpBuilder &at, Location location, ArrayRef<Value> dReads,
                                      ArrayRef<Value> dWrites, Value dFinal) const {
  auto stage = std::make_unique<Region>();
  SmallVector<Value> tokens = buildStage(stage->emplaceBlock(), location);
  SmallVector<Type> types;
  for (Value operand : cast<FormOp>(stage->front().getTerminator()).getDifferentiable())
    types.push_back(tokensOf(walk.heads, operand.getType()));
  struct Given {
    SmallVector<Value> cotangents;
    SmallVector<int64_t> numbers;
  };
  auto givenOf = [](ArrayRef<Value> all) {
    Given given;
    for (auto [number, cotangent] : llvm::enumerate(all))
      if (cotangent) {
        given.cotangents.push_back(cotangent);
        given.numbers.push_back(number);
      }
    return given;
  };
  Given ofReads = givenOf(dReads), ofWrites = givenOf(dWrites);
  auto adjoint = ScanAdjointOp::create(at, location, types, state, tokens, init, walk.order, walk.sequences,
                                       ofReads.cotangents, ofWrites.cotangents, dFinal, walk.reverse,
                                       ofReads.numbers, ofWrites.numbers);
  adjoint.getStage().takeBody(*stage);
  return adjoint;
}

FormScan::Results FormScan::resultsOf(NormalScanOp op) {
  Results results;
  size_t reads = op.getForm(0).getReads().size();
  for (auto [index, value] : llvm::enumerate(op.getOutputs()))
    (index < reads ? results.reads : results.writes).push_back(value);
  results.final = op.getFinals().front();
  return results;
}

std::optional<FormScan> FormScan::of(NormalScanOp op) {
  if (op.getNumStates() != 1 || !op.getParams().empty() || !op.getTails().empty())
    return std::nullopt;
  FormOp form = op.getForm(0);
  bool simple = true;
  auto operand = [&](Value value) -> FormOperand {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return {op.getTokens()[argument.getArgNumber()], {}};
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    simple &= bool(constant);
    return {{}, constant ? constant.getValue() : TypedAttr()};
  };
  FormScan scan;
  scan.walk = LoopWalk::of(op);
  for (auto [value, into] :
       {std::pair(form.getDecay(), &scan.decay), std::pair(form.getSign(), &scan.sign),
        std::pair(form.getValueDecay(), &scan.valueDecay), std::pair(form.getValueSign(), &scan.valueSign)})
    if (value)
      *into = operand(value);
  scan.reads = llvm::map_to_vector(form.getReads(), operand);
  scan.writes = llvm::map_to_vector(form.getWrites(), operand);
  scan.values = llvm::map_to_vector(form.getValues(), operand);
  scan.inclusive.assign(form.getInclusive().begin(), form.getInclusive().end());
  for (auto [index, factor] : llvm::enumerate(form.getFeedback()))
    scan.feedback.push_back({unsigned(form.getFeedbackIndex()[2 * index]),
                             unsigned(form.getFeedbackIndex()[2 * index + 1]), operand(factor)});
  scan.keyAxis = form.getKeyAxis();
  scan.state = cast<RankedTensorType>(op.getFinals().front().getType());
  scan.init = op.getInitOf(0);
  auto yield = cast<YieldOp>(op.getFinish().getTerminator());
  simple &= yield.getOutputs().size() == scan.reads.size() + scan.writes.size();
  for (auto [index, value] : llvm::enumerate(yield.getOutputs())) {
    auto argument = dyn_cast<BlockArgument>(value);
    simple &= argument && argument.getArgNumber() == op.getTokens().size() + index;
  }
  return simple ? std::optional(scan) : std::nullopt;
}
