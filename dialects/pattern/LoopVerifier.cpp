// Verification of scan, map and normal_scan: operands against each other, and the ops of a step.
#include "dialects/pattern/TokenLoop.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace linmu::pattern;

/// What a value of a step may be: f32, i32 or i1, or a tensor of those of rank 1 or 2 that a head can hold.
static bool isStepType(Type type) {
  constexpr int64_t mostElements = 1 << 18;
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    if (!tensor.hasStaticShape() || tensor.getRank() < 1 || tensor.getRank() > 2 || tensor.getEncoding())
      return false;
    int64_t elements = 1;
    for (int64_t extent : tensor.getShape())
      if (extent < 1 || extent > mostElements || (elements *= extent) > mostElements)
        return false;
    type = tensor.getElementType();
  }
  return type.isF32() || type.isInteger(32) || type.isInteger(1);
}

static LogicalResult verifyStepTypes(Operation *op, TypeRange types, StringRef kind) {
  for (auto [index, type] : llvm::enumerate(types)) {
    if (isStepType(type))
      continue;
    if (isa<arith::ConstantOp>(op) && getElementTypeOrSelf(type).isF64())
      return op->emitOpError("requires a constant of f32, got ")
             << type << "; write the type, as in arith.constant 0.5 : f32, since without one it is f64";
    return op->emitOpError("requires ")
           << kind << " #" << index
           << " of a step to be f32, i32, i1 or a static tensor of those of rank 1 or 2 with at most 262144 "
              "elements, got "
           << type;
  }
  return success();
}

LogicalResult linmu::pattern::verifyStepOps(Operation *loop, Block &block) {
  if (block.empty())
    return loop->emitOpError("requires its step to end in 'pattern.yield'");
  if (failed(verifyStepTypes(loop, block.getArgumentTypes(), "argument")))
    return failure();
  for (Operation &op : block) {
    if (&op == &block.back() && op.hasTrait<OpTrait::IsTerminator>())
      break;
    if (!isa<StepOp>(op))
      return op.emitOpError("cannot stand in the step of '")
             << loop->getName() << "'; the ops that can are listed in docs/patterns.md, The step";
    if (auto constant = dyn_cast<arith::ConstantOp>(op);
        constant && !isa<FloatAttr, IntegerAttr, DenseElementsAttr>(constant.getValue()))
      return op.emitOpError("requires a number or a dense<...> constant, got ") << constant.getValue();
    if (failed(verifyStepTypes(&op, op.getResultTypes(), "result")))
      return failure();
  }
  return success();
}

std::string linmu::pattern::misfitOf(Part part, RankedTensorType type) {
  static constexpr StringLiteral forms[] = {"tensor<HxDxT> (heads, features)",
                                            "tensor<?xHxKxVxf32> (batch, heads, state)",
                                            "tensor<?x?xHxDxT> (batch, tokens, heads, features)"};
  int64_t dynamicAxes = part == Part::param ? 0 : part == Part::state ? 1 : 2;
  // A token operand without heads is a scalar that all heads share.
  if (part == Part::token && type.getRank() == 2 && type.isDynamicDim(0) && type.isDynamicDim(1))
    return {};
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto misfit = [&](auto... expected) {
    ((stream << "to have ") << ... << expected);
    stream << ", as in " << forms[dynamicAxes] << ", got '" << type << "'";
    return text;
  };
  if (type.getRank() < dynamicAxes + 1 || type.getRank() > dynamicAxes + 3)
    return misfit("rank ", dynamicAxes + 1, " to ", dynamicAxes + 3);
  for (int64_t axis = 0; axis < dynamicAxes; ++axis)
    if (!type.isDynamicDim(axis))
      return misfit("a dynamic axis ", axis);
  for (int64_t axis = dynamicAxes; axis < type.getRank(); ++axis)
    if (type.isDynamicDim(axis) || type.getDimSize(axis) == 0)
      return misfit("a static, positive axis ", axis);
  return {};
}

/// The step's argument #`argument` by the name that the text gives it, else the operand's number.
static std::string describe(Operation *op, unsigned argument, StringRef kind, unsigned index) {
  Block *step = op->getNumRegions() && !op->getRegion(0).empty() ? &op->getRegion(0).front() : nullptr;
  if (step && argument < step->getNumArguments())
    if (auto name = dyn_cast<NameLoc>(Attribute(step->getArgument(argument).getLoc())))
      return (kind + " of '" + name.getName().getValue() + "'").str();
  return (kind + " #" + Twine(index)).str();
}

/// `type` fits its part, and its heads fit those of the loop.
static LogicalResult verifyOperand(Operation *op, Part part, const std::string &name, RankedTensorType type,
                                   int64_t heads) {
  if (std::string misfit = misfitOf(part, type); !misfit.empty())
    return op->emitOpError("requires ") << name << " " << misfit;
  if (part == Part::token && type.getRank() == 2)
    return success();
  int64_t own = type.getDimSize(part == Part::param ? 0 : part == Part::state ? 1 : 2);
  bool exact = part == Part::state || part == Part::output;
  if (exact ? own != heads : heads % own != 0)
    return op->emitOpError("requires ")
           << name << " to have " << (exact ? "" : "a head count that divides ") << heads
           << (exact ? " heads" : "") << ", got " << own << " in " << type;
  return success();
}

/// Indices of operands that carry a tail or an initial value: one for each, in range, none twice.
static LogicalResult verifyOwners(Operation *op, StringRef name, ArrayRef<int64_t> owners, size_t expected,
                                  int64_t limit) {
  if (owners.size() != expected)
    return op->emitOpError("requires ") << expected << " entries of " << name << ", got " << owners.size();
  for (auto [index, owner] : llvm::enumerate(owners))
    if (owner < 0 || owner >= limit || llvm::is_contained(owners.drop_front(index + 1), owner))
      return op->emitOpError("requires entries of ")
             << name << " to be different and in [0, " << limit << "), got " << owner;
  return success();
}

LogicalResult linmu::pattern::verifyDynamic(Operation *op, StringRef clause, Value value) {
  if (!value)
    return success();
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> dynamic(type.getRank(), ShapedType::kDynamic);
  if (type.getShape() != ArrayRef(dynamic))
    return op->emitOpError("requires ")
           << clause << " of type " << RankedTensorType::get(dynamic, type.getElementType()) << ", got "
           << type;
  return success();
}

template <typename LoopOp> LogicalResult linmu::pattern::verifyLoopOperands(LoopOp op, int64_t heads) {
  if (op.getOutputs().empty() && op.getFinals().empty())
    return op.emitOpError("requires an output or a state");
  if (heads <= 0)
    return op.emitOpError("requires outputs of type tensor<?x?xHx...>, got ") << op->getResult(0).getType();
  auto each = [&](auto range, Part part, StringRef kind, unsigned firstArgument) -> LogicalResult {
    for (auto [index, value] : llvm::enumerate(range))
      if (failed(verifyOperand(op, part, describe(op, firstArgument + index, kind, index),
                               cast<RankedTensorType>(value.getType()), heads)))
        return failure();
    return success();
  };
  constexpr unsigned none = 1 << 30; // past every argument
  unsigned params = op.getParams().size(), tokens = op.getTokens().size();
  bool normal = std::is_same_v<LoopOp, NormalScanOp>; // its regions have no arguments for states
  if (failed(each(op.getParams(), Part::param, "param", 0)) ||
      failed(each(op.getTokens(), Part::token, "token operand", params)) ||
      failed(each(op.getOutputs(), Part::output, "output", none)) ||
      failed(each(op.getFinals(), Part::state, "state", normal ? none : params + tokens)))
    return failure();
  for (auto [index, value] : llvm::enumerate(op.getFinals()))
    if (!getElementTypeOrSelf(value.getType()).isF32())
      return op.emitOpError("requires state #") << index << " to have f32 elements, got " << value.getType();
  for (auto [index, output] : llvm::enumerate(op.getOutputs()))
    if (!isa<FloatType>(getElementTypeOrSelf(output.getType())))
      return op.emitOpError("requires output #")
             << index << " to have float elements, got " << output.getType();
  if (op.getTokens().empty())
    return op.emitOpError("requires a token operand, which gives the batch and the number of tokens");
  SmallVector<Value> walked(op.getTokens());
  if constexpr (!std::is_same_v<LoopOp, NormalScanOp>)
    if (op.getSegments())
      walked.push_back(op.getSegments());
  if (failed(verifyOwners(op, "tail_owners", op.getTailOwners(), op.getTails().size(), walked.size())) ||
      failed(
          verifyOwners(op, "init_owners", op.getInitOwners(), op.getInits().size(), op.getFinals().size())) ||
      failed(verifyDynamic(op, "order", op.getOrder())) ||
      failed(verifyDynamic(op, "sequences", op.getSequences())))
    return failure();
  for (auto [index, owner] : llvm::enumerate(op.getTailOwners())) {
    auto tail = cast<RankedTensorType>(op.getTails()[index].getType());
    auto token = cast<RankedTensorType>(walked[owner].getType());
    SmallVector<int64_t> expected(token.getShape());
    if (tail.getRank() == token.getRank())
      expected[1] = tail.getDimSize(1);
    if (tail.getRank() != token.getRank() || tail.isDynamicDim(1) || tail.getDimSize(1) < 1 ||
        tail.getDimSize(1) > 3 || tail.getShape() != ArrayRef(expected) ||
        tail.getElementType() != token.getElementType())
      return op.emitOpError("requires tail #")
             << index << " to be "
             << (owner < int64_t(op.getTokens().size()) ? "its token operand's" : "the segments'")
             << " type with 1 to 3 tokens, got " << tail << " for " << token;
  }
  ArrayRef<int64_t> masks = op.getTailMasks();
  if (!masks.empty() && masks.size() != op.getTails().size())
    return op.emitOpError("requires ")
           << op.getTails().size() << " entries of tail_masks, got " << masks.size();
  for (int64_t mask : masks) {
    if (mask < -1 || mask >= int64_t(op.getTokens().size()))
      return op.emitOpError("requires entries of tail_masks to be in [-1, ")
             << op.getTokens().size() << "), got " << mask;
    if (mask >= 0)
      if (auto type = cast<RankedTensorType>(op.getTokens()[mask].getType());
          type.getRank() != 2 || !type.getElementType().isInteger(1))
        return op.emitOpError(
                   "requires entries of tail_masks to name token operands of type tensor<?x?xi1>, got ")
               << type << " of #" << mask;
  }
  for (auto [index, owner] : llvm::enumerate(op.getInitOwners()))
    if (op.getInits()[index].getType() != op.getFinals()[owner].getType())
      return op.emitOpError("requires the initial value of state #")
             << owner << " to have type " << op.getFinals()[owner].getType() << ", got "
             << op.getInits()[index].getType();
  return success();
}

template <typename LoopOp> static LogicalResult verifyLoopRegion(LoopOp op) {
  Block &body = op.getBody();
  SmallVector<Type> expected;
  auto expectSlices = [&](ValueRange values, unsigned leading) {
    for (Value value : values)
      expected.push_back(sliceType(cast<RankedTensorType>(value.getType()), leading));
  };
  expectSlices(op.getParams(), 1);
  expectSlices(op.getTokens(), 3);
  expectSlices(op.getFinals(), 2);
  if (body.getArgumentTypes() != TypeRange(expected))
    return op.emitOpError("requires a step with arguments of types ")
           << TypeRange(expected) << ", got " << body.getArgumentTypes();
  if (failed(verifyStepOps(op, body)))
    return failure();
  auto yield = dyn_cast<YieldOp>(body.back());
  if (!yield)
    return op.emitOpError("requires its step to end in 'pattern.yield'");
  if (yield.getOutputs().size() != op.getOutputs().size())
    return yield.emitOpError("requires ") << op.getOutputs().size() << " outputs, got "
                                          << yield.getOutputs().size() << "; each type of '-> (...)' has one";
  if (yield.getStates().size() != op.getFinals().size())
    return yield.emitOpError("requires ")
           << op.getFinals().size() << " states, got " << yield.getStates().size()
           << "; each entry of 'states(...)' has its next value";
  for (auto [index, value] : llvm::enumerate(yield.getOutputs())) {
    Type expected = sliceType(cast<RankedTensorType>(op.getOutputs()[index].getType()), 3);
    if (value.getType() != expected)
      return yield.emitOpError("requires output #")
             << index << " to have type " << expected << ", got " << value.getType();
  }
  for (auto [index, value] : llvm::enumerate(yield.getStates())) {
    Type expected = sliceType(cast<RankedTensorType>(op.getFinals()[index].getType()), 2);
    if (value.getType() != expected)
      return yield.emitOpError("requires state #")
             << index << " to have type " << expected << ", got " << value.getType();
  }
  for (auto lag : body.template getOps<LagOp>()) {
    int64_t token = cast<BlockArgument>(lag.getSource()).getArgNumber() - op.getParams().size();
    if (Value tail = op.getTailOf(token))
      if (int64_t available = cast<RankedTensorType>(tail.getType()).getDimSize(1);
          int64_t(lag.getDistance()) > available)
        return lag.emitOpError("requires a tail of at least ")
               << lag.getDistance() << " tokens, got " << available;
  }
  return success();
}

/// The clauses that normal_scan lacks.
template <typename LoopOp> static LogicalResult verifyMasks(LoopOp op) {
  if (failed(verifyDynamic(op, "segments", op.getSegments())) ||
      failed(verifyDynamic(op, "source_mask", op.getSourceMask())) ||
      failed(verifyDynamic(op, "output_mask", op.getOutputMask())))
    return failure();
  if (op.getSourceMask() && !op.getTailMasks().empty())
    return op.emitOpError("requires source_mask or tail_masks, which are what becomes of it, not both");
  if (!op.getSourceMask() != op.getZeroes().empty())
    return op.emitOpError("requires source_mask and the token arguments that it zeroes together");
  for (auto [index, token] : llvm::enumerate(op.getZeroes()))
    if (token < 0 || token >= int64_t(op.getTokens().size()) ||
        llvm::is_contained(op.getZeroes().drop_front(index + 1), token))
      return op.emitOpError("requires zeroes to name different token arguments, got #") << token;
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verifyLoopOperands(*this, getHeads())))
    return failure();
  return verifyMasks(*this);
}
LogicalResult MapOp::verify() {
  if (!getFinals().empty())
    return emitOpError("requires no state; a recurrence is a 'pattern.scan'");
  if (failed(verifyLoopOperands(*this, getHeads())))
    return failure();
  return verifyMasks(*this);
}
LogicalResult ScanOp::verifyRegions() { return verifyLoopRegion(*this); }
LogicalResult MapOp::verifyRegions() { return verifyLoopRegion(*this); }

template LogicalResult linmu::pattern::verifyLoopOperands(NormalScanOp, int64_t);
