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
  SmallVector<Value> r = all(reads), k = all(writes), v = all(values), m, a;
  SmallVector<int64_t> index, couplingIndex;
  for (const Feedback &term : feedback) {
    m.push_back(in(term.factor));
    index.append({int64_t(term.write), int64_t(term.read)});
  }
  for (const Coupling &term : coupling) {
    a.push_back(in(term.factor));
    couplingIndex.append({int64_t(term.to), int64_t(term.from)});
  }
  if (tokens.empty())
    argument(walk.like);
  FormOp::create(step, g, h, r, k, v, m, a, s, t, index, inclusive, keyAxis, inits.size(), couplingIndex,
                 readStates, writeStates);
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
  size_t outputs = types.size();
  types.append(inits.size(), state);
  SmallVector<Value> given;
  SmallVector<int64_t> owners;
  for (auto [number, init] : llvm::enumerate(inits))
    if (init) {
      given.push_back(init);
      owners.push_back(number);
    }

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
  addOperands(given);
  addOperands(optional(walk.order));
  addOperands(optional(walk.sequences));
  op.addTypes(types);
  op.addAttribute("operandSegmentSizes", at.getDenseI32ArrayAttr(sizes));
  op.addAttribute("resultSegmentSizes",
                  at.getDenseI32ArrayAttr(ArrayRef<int32_t>{int32_t(outputs), int32_t(inits.size()), 0}));
  if (walk.reverse)
    op.addAttribute("reverse", at.getUnitAttr());
  if (!owners.empty())
    op.addAttribute("init_owners", at.getDenseI64ArrayAttr(owners));
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
  for (const Coupling &term : coupling)
    all.push_back(term.factor);
  return all;
}

ScanAdjointOp FormScan::createAdjoint(OpBuilder &at, Location location, ArrayRef<Value> dReads,
                                      ArrayRef<Value> dWrites, ArrayRef<Value> dFinals) const {
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
  Given ofReads = givenOf(dReads), ofWrites = givenOf(dWrites), ofFinals = givenOf(dFinals);
  Given ofInits = givenOf(inits);
  // All of them need no numbers.
  for (Given *of : {&ofFinals, &ofInits})
    if (of->numbers.size() == inits.size())
      of->numbers.clear();
  auto adjoint = ScanAdjointOp::create(at, location, types, SmallVector<Type>(inits.size(), state), tokens,
                                       ofInits.cotangents, walk.order, walk.sequences, ofReads.cotangents,
                                       ofWrites.cotangents, ofFinals.cotangents, walk.reverse,
                                       ofReads.numbers, ofWrites.numbers, ofFinals.numbers, ofInits.numbers);
  adjoint.getStage().takeBody(*stage);
  return adjoint;
}

FormScan::Results FormScan::resultsOf(NormalScanOp op) {
  Results results;
  size_t reads = op.getForm(0).getReads().size();
  for (auto [index, value] : llvm::enumerate(op.getOutputs()))
    (index < reads ? results.reads : results.writes).push_back(value);
  llvm::append_range(results.finals, op.getFinals());
  return results;
}

std::optional<FormScan> FormScan::of(NormalScanOp op) {
  if (op.getNumStages() != 1 || !op.getParams().empty() || !op.getTails().empty())
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
  for (auto [index, factor] : llvm::enumerate(form.getCoupling()))
    scan.coupling.push_back({unsigned(form.getCouplingIndex()[2 * index]),
                             unsigned(form.getCouplingIndex()[2 * index + 1]), operand(factor)});
  llvm::append_range(scan.readStates, form.getReadStates());
  llvm::append_range(scan.writeStates, form.getWriteStates());
  scan.keyAxis = form.getKeyAxis();
  scan.state = cast<RankedTensorType>(op.getFinals().front().getType());
  for (unsigned number = 0; number < op.getNumStates(); ++number)
    scan.inits.push_back(op.getInitOf(number));
  auto yield = cast<YieldOp>(op.getFinish().getTerminator());
  simple &= yield.getOutputs().size() == scan.reads.size() + scan.writes.size();
  for (auto [index, value] : llvm::enumerate(yield.getOutputs())) {
    auto argument = dyn_cast<BlockArgument>(value);
    simple &= argument && argument.getArgNumber() == op.getTokens().size() + index;
  }
  return simple ? std::optional(scan) : std::nullopt;
}
