// What scan and map, and in part normal_scan, require of their operands and steps.
#include "dialects/pattern/TokenLoop.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"

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
  for (auto [index, type] : llvm::enumerate(types))
    if (!isStepType(type))
      return op->emitOpError("requires ") << kind << " #" << index
                                          << " of a step to be f32, i32, i1 or a static tensor of those of "
                                             "rank 1 or 2 with at most 262144 "
                                             "elements, got "
                                          << type;
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
      return op.emitOpError("cannot stand in the step of '") << loop->getName() << "'";
    if (auto constant = dyn_cast<arith::ConstantOp>(op);
        constant && !isa<FloatAttr, IntegerAttr, DenseElementsAttr>(constant.getValue()))
      return op.emitOpError("requires a number or a dense<...> constant, got ") << constant.getValue();
    if (failed(verifyStepTypes(&op, op.getResultTypes(), "result")))
      return failure();
  }
  return success();
}

/// `type` is `leading` dynamic axes (or a batch), then heads that divide `heads`, then static features.
static LogicalResult verifyOperand(Operation *op, StringRef kind, unsigned index, RankedTensorType type,
                                   unsigned dynamicAxes, int64_t heads, bool exactHeads) {
  auto fail = [&]() -> InFlightDiagnostic {
    return op->emitOpError("requires ") << kind << " #" << index << " ";
  };
  // A token operand without heads is a scalar that all heads share.
  if (kind == "token operand" && type.getRank() == 2 && type.isDynamicDim(0) && type.isDynamicDim(1))
    return success();
  if (type.getRank() < int64_t(dynamicAxes) + 1 || type.getRank() > int64_t(dynamicAxes) + 3)
    return fail() << "to have rank " << dynamicAxes + 1 << " to " << dynamicAxes + 3 << ", got " << type;
  for (unsigned axis = 0; axis < dynamicAxes; ++axis)
    if (!type.isDynamicDim(axis))
      return fail() << "to have a dynamic axis " << axis << ", got " << type;
  for (int64_t axis = dynamicAxes; axis < type.getRank(); ++axis)
    if (type.isDynamicDim(axis) || type.getDimSize(axis) == 0)
      return fail() << "to have a static, positive axis " << axis << ", got " << type;
  int64_t own = type.getDimSize(dynamicAxes);
  if (exactHeads ? own != heads : heads % own != 0)
    return fail() << "to have " << (exactHeads ? "" : "a head count that divides ") << heads
                  << (exactHeads ? " heads" : "") << ", got " << own << " in " << type;
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

/// An order, segments or a mask: tensor<?x?x...>.
static LogicalResult verifyPerToken(Operation *op, StringRef clause, Value value) {
  if (!value)
    return success();
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.isDynamicDim(0) || !type.isDynamicDim(1))
    return op->emitOpError("requires ")
           << clause << " of type "
           << RankedTensorType::get({ShapedType::kDynamic, ShapedType::kDynamic}, type.getElementType())
           << ", got " << type;
  return success();
}

template <typename LoopOp> LogicalResult linmu::pattern::verifyLoopOperands(LoopOp op, int64_t heads) {
  if (op.getOutputs().empty() && op.getFinals().empty())
    return op.emitOpError("requires an output or a state");
  if (heads <= 0)
    return op.emitOpError("requires outputs of type tensor<?x?xHx...>, got ") << op->getResult(0).getType();
  auto each = [&](auto range, StringRef kind, unsigned dynamicAxes, bool exact) -> LogicalResult {
    for (auto [index, value] : llvm::enumerate(range))
      if (failed(verifyOperand(op, kind, index, cast<RankedTensorType>(value.getType()), dynamicAxes, heads,
                               exact)))
        return failure();
    return success();
  };
  if (failed(each(op.getParams(), "param", 0, false)) ||
      failed(each(op.getTokens(), "token operand", 2, false)) ||
      failed(each(op.getOutputs(), "output", 2, true)) || failed(each(op.getFinals(), "state", 1, true)))
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
      failed(verifyPerToken(op, "order", op.getOrder())))
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
    return yield.emitOpError("requires ")
           << op.getOutputs().size() << " outputs, got " << yield.getOutputs().size();
  if (yield.getStates().size() != op.getFinals().size())
    return yield.emitOpError("requires ")
           << op.getFinals().size() << " states, got " << yield.getStates().size();
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
  if (failed(verifyPerToken(op, "segments", op.getSegments())) ||
      failed(verifyPerToken(op, "source_mask", op.getSourceMask())) ||
      failed(verifyPerToken(op, "output_mask", op.getOutputMask())))
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
