#include "dialects/pattern/TokenLoop.h"

using namespace mlir;
using namespace linmu::pattern;

int64_t NormalScanOp::getHeads() { return headsOf(getOutputs(), getFinals()); }
FormOp NormalScanOp::getForm(unsigned stage) { return cast<FormOp>(getStage(stage).getTerminator()); }
unsigned NormalScanOp::getFirstState(unsigned stage) {
  unsigned first = 0;
  for (unsigned before = 0; before < stage; ++before)
    first += getForm(before).getStates();
  return first;
}
unsigned NormalScanOp::getStageOf(unsigned state) {
  unsigned stage = 0;
  for (unsigned end = getForm(0).getStates(); end <= state; end += getForm(stage).getStates())
    ++stage;
  return stage;
}
bool NormalScanOp::isCoupled() { return getNumStages() != getNumStates(); }
Value NormalScanOp::getTailOf(unsigned token) { return lookupIndexed(getTailOwners(), getTails(), token); }
Value NormalScanOp::getInitOf(unsigned state) { return lookupIndexed(getInitOwners(), getInits(), state); }

/// normal_scan tokens(...) states(...) -> (...) stage { ^bb0(...): ... } finish { ^bb0(...): ... }
ParseResult NormalScanOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  if (parseLoopClauses(parser, result, arguments, /*withMasks=*/false))
    return failure();
  while (succeeded(parser.parseOptionalKeyword("stage")))
    if (parser.parseRegion(*result.addRegion()))
      return failure();
  if (parser.parseKeyword("finish"))
    return failure();
  return parser.parseRegion(*result.addRegion());
}

void NormalScanOp::print(OpAsmPrinter &printer) {
  // The clauses name the arguments of `finish`; stages repeat theirs in their own headers.
  unsigned clauseArguments = getParams().size() + getTokens().size();
  printLoopClauses(printer, *this, getFinish().getArguments().take_front(clauseArguments));
  for (Region &stage : getStages().drop_back()) {
    printer << "stage ";
    printer.printRegion(stage);
    printer << " ";
  }
  printer << "finish ";
  printer.printRegion(getStages().back());
}

LogicalResult NormalScanOp::verify() { return verifyLoopOperands(*this, getHeads()); }

LogicalResult NormalScanOp::verifyRegions() {
  int64_t states = 0;
  for (Region &region : getStages().drop_back())
    if (auto form = dyn_cast<FormOp>(region.front().back()))
      states += form.getStates();
    else
      ++states;
  if (getStages().empty() || states != int64_t(getNumStates()))
    return emitOpError("requires a stage for each of ")
           << getNumStates() << " states and a finish, got " << getStages().size() << " regions of " << states
           << " states";
  unsigned next = 0; // the first state of the stage
  SmallVector<Type> expected;
  for (Value param : getParams())
    expected.push_back(sliceType(cast<RankedTensorType>(param.getType()), 1));
  for (Value token : getTokens())
    expected.push_back(sliceType(cast<RankedTensorType>(token.getType()), 3));
  for (auto [index, region] : llvm::enumerate(getStages())) {
    Block &block = region.front();
    if (block.getArgumentTypes() != TypeRange(expected))
      return emitOpError("requires region #") << index << " to have arguments of types "
                                              << TypeRange(expected) << ", got " << block.getArgumentTypes();
    if (failed(verifyStepOps(*this, block)))
      return failure();
    if (index == getNumStages())
      break;
    auto form = dyn_cast<FormOp>(block.getTerminator());
    if (!form)
      return emitOpError("requires stage #") << index << " to end in 'pattern.form'";
    Type state = sliceType(cast<RankedTensorType>(getFinals()[next].getType()), 2);
    for (unsigned end = next + form.getStates(); next < end; ++next)
      if (Type other = sliceType(cast<RankedTensorType>(getFinals()[next].getType()), 2); other != state)
        return emitOpError("requires coupled states of one type, got ") << state << " and " << other;
    if (failed(verifyKeyAxis(form, state)))
      return failure();
    Type value = form.getValueType(state);
    expected.append(form.getReads().size() + form.getWrites().size(), value);
  }
  auto yield = dyn_cast<YieldOp>(getFinish().getTerminator());
  if (!yield || yield.getOutputs().size() != getOutputs().size() || !yield.getStates().empty())
    return emitOpError("requires finish to end in 'pattern.yield' with ")
           << getOutputs().size() << " outputs and no states";
  return success();
}

LogicalResult linmu::pattern::verifyKeyAxis(FormOp form, Type state) {
  auto tensor = dyn_cast<RankedTensorType>(state);
  int64_t rank = tensor ? tensor.getRank() : 0, axis = form.getKeyAxis();
  if (axis >= (rank == 2 ? 0 : -1) && axis < rank)
    return success();
  return form.emitOpError("requires a key axis of a state ") << state << ", got " << axis;
}

Type FormOp::getValueType(Type state) {
  auto tensor = dyn_cast<RankedTensorType>(state);
  int64_t keyAxis = getKeyAxis();
  if (!tensor || (tensor.getRank() == 1 && keyAxis == 0))
    return Float32Type::get(getContext());
  if (tensor.getRank() == 1)
    return tensor;
  return RankedTensorType::get({tensor.getDimSize(1 - keyAxis)}, tensor.getElementType());
}

StringRef FormOp::getDecayKind() {
  if (isCoupled())
    return "coupled";
  if (!getDecay())
    return getValueDecay() ? "by value" : "none";
  if (isa<RankedTensorType>(getDecay().getType()))
    return getValueDecay() ? "row-wise and by value" : "row-wise";
  return getValueDecay() ? "scalar and by value" : "scalar";
}

OperandRange FormOp::getDifferentiable() {
  return getOperands().drop_back(bool(getSign()) + bool(getValueSign()));
}

/// What a form of several states has, and one of a single state has not.
static LogicalResult verifyCoupling(FormOp form) {
  int64_t states = form.getStates();
  if (states > 1 && (form.getDecay() || form.getValueDecay()))
    return form.emitOpError("requires no decay beside the coupling of ") << states << " states";
  ArrayRef<int64_t> index = form.getCouplingIndex();
  if (index.size() != 2 * form.getCoupling().size())
    return form.emitOpError("requires a (p, q) pair for each of ")
           << form.getCoupling().size() << " factors of the coupling, got " << index.size() / 2;
  llvm::SmallDenseSet<std::pair<int64_t, int64_t>> seen;
  for (size_t term = 0; term < form.getCoupling().size(); ++term) {
    auto [p, q] = std::pair(index[2 * term], index[2 * term + 1]);
    if (states == 1 || p < 0 || p >= states || q < 0 || q >= states || !seen.insert({p, q}).second)
      return form.emitOpError("requires the coupling to name two of ")
             << states << " coupled states once, got (" << p << ", " << q << ")";
  }
  auto isState = [&](int64_t state) { return state >= 0 && state < states; };
  ArrayRef<int64_t> reads = form.getReadStates(), writes = form.getWriteStates();
  if (reads.size() != (states == 1 ? 0 : form.getReads().size()) || !llvm::all_of(reads, isState))
    return form.emitOpError("requires a state in [0, ")
           << states << ") for each of " << (states == 1 ? 0 : form.getReads().size()) << " reads, got ["
           << reads << "]";
  if (writes.size() % 2 || (states == 1 && !writes.empty()))
    return form.emitOpError("requires pairs of a write and a state, of coupled states, got [")
           << writes << "]";
  llvm::SmallBitVector written(form.getWrites().size());
  for (size_t pair = 0; pair < writes.size(); pair += 2) {
    int64_t write = writes[pair];
    if (write < 0 || write >= int64_t(written.size()) || !isState(writes[pair + 1]))
      return form.emitOpError("requires write_states to name writes and states, got (")
             << write << ", " << writes[pair + 1] << ")";
    written.set(write);
  }
  if (states > 1 && !written.all())
    return form.emitOpError("requires a state for each of ")
           << written.size() << " writes, got " << written.count();
  return success();
}

llvm::SmallVector<int64_t, 2> FormOp::getStatesOfWrite(int64_t write) {
  if (!isCoupled())
    return {0};
  llvm::SmallVector<int64_t, 2> states;
  ArrayRef<int64_t> pairs = getWriteStates();
  for (size_t pair = 0; pair < pairs.size(); pair += 2)
    if (pairs[pair] == write)
      states.push_back(pairs[pair + 1]);
  return states;
}

LogicalResult FormOp::verify() {
  if (failed(verifyCoupling(*this)))
    return failure();
  auto verifySign = [&](StringRef name, Value sign, Value decay) -> LogicalResult {
    if (!sign || (decay && sign.getType() == decay.getType()))
      return success();
    InFlightDiagnostic error = emitOpError("requires ")
                               << name << " beside a decay of its type " << sign.getType();
    return decay ? error << ", got " << decay.getType() : error << ", got none";
  };
  if (failed(verifySign("sign", getSign(), getDecay())) ||
      failed(verifySign("value_sign", getValueSign(), getValueDecay())))
    return failure();
  if (getValueDecay() && !isa<RankedTensorType>(getValueDecay().getType()))
    return emitOpError("requires a decay by value to be a vector over the value axis, got ")
           << getValueDecay().getType();
  if (getValueDecay() && !getFeedback().empty())
    return emitOpError("requires no feedback beside a decay by value, got ")
           << getFeedback().size() << " feedback terms";
  if (getInclusive().size() != getReads().size())
    return emitOpError("requires one entry of inclusive for each of ")
           << getReads().size() << " reads, got " << getInclusive().size();
  if (getValues().size() != getWrites().size())
    return emitOpError("requires a value for each of ")
           << getWrites().size() << " writes, got " << getValues().size();
  ArrayRef<int64_t> index = getFeedbackIndex();
  if (index.size() != 2 * getFeedback().size())
    return emitOpError("requires an (i, j) pair for each of ")
           << getFeedback().size() << " feedback terms, got " << index.size() / 2;
  for (size_t term = 0; term < getFeedback().size(); ++term) {
    int64_t write = index[2 * term], read = index[2 * term + 1];
    if (write < 0 || write >= int64_t(getWrites().size()) || read < 0 || read >= int64_t(getReads().size()))
      return emitOpError("requires feedback term #")
             << term << " to name a write and a read, got (" << write << ", " << read << ")";
    if (getInclusive()[read])
      return emitOpError("requires feedback of exclusive reads only, got read #") << read;
  }
  return success();
}
