#include "dialects/pattern/TokenLoop.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace linmu::pattern;

//===------------------------------------------------------------------------------------------------===//
// Shared helpers
//===------------------------------------------------------------------------------------------------===//

Value linmu::pattern::lookupIndexed(ArrayRef<int64_t> of, OperandRange operands, int64_t wanted) {
  for (auto [index, owner] : llvm::enumerate(of))
    if (owner == wanted)
      return operands[index];
  return {};
}

int64_t linmu::pattern::headsOf(ResultRange outputs, ResultRange finals) {
  if (!outputs.empty())
    if (auto type = cast<RankedTensorType>(outputs.front().getType()); type.getRank() >= 3)
      return type.getDimSize(2);
  if (!finals.empty())
    if (auto type = cast<RankedTensorType>(finals.front().getType()); type.getRank() >= 2)
      return type.getDimSize(1);
  return 0;
}

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

int64_t ScanOp::getHeads() { return headsOf(getOutputs(), getFinals()); }
YieldOp ScanOp::getYield() { return cast<YieldOp>(getBody().getTerminator()); }
ArrayRef<BlockArgument> ScanOp::getParamArguments() {
  return getBody().getArguments().take_front(getParams().size());
}
ArrayRef<BlockArgument> ScanOp::getTokenArguments() {
  return getBody().getArguments().slice(getParams().size(), getTokens().size());
}
ArrayRef<BlockArgument> ScanOp::getStateArguments() {
  return getBody().getArguments().drop_front(getParams().size() + getTokens().size());
}
Value ScanOp::getTailOf(unsigned token) { return lookupIndexed(getTailOwners(), getTails(), token); }
Value ScanOp::getInitOf(unsigned state) { return lookupIndexed(getInitOwners(), getInits(), state); }

int64_t MapOp::getHeads() { return headsOf(getOutputs(), getFinals()); }
YieldOp MapOp::getYield() { return cast<YieldOp>(getBody().getTerminator()); }
ArrayRef<BlockArgument> MapOp::getParamArguments() {
  return getBody().getArguments().take_front(getParams().size());
}
ArrayRef<BlockArgument> MapOp::getTokenArguments() {
  return getBody().getArguments().slice(getParams().size(), getTokens().size());
}
ArrayRef<BlockArgument> MapOp::getStateArguments() {
  return getBody().getArguments().drop_front(getParams().size() + getTokens().size());
}
Value MapOp::getTailOf(unsigned token) { return lookupIndexed(getTailOwners(), getTails(), token); }
Value MapOp::getInitOf(unsigned state) { return lookupIndexed(getInitOwners(), getInits(), state); }

//===------------------------------------------------------------------------------------------------===//
// Assembly
//===------------------------------------------------------------------------------------------------===//

namespace {
/// One clause's `%argument = %operand ... : type` entries as they are parsed.
struct Entries {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
};
} // namespace

/// A state of the normal form, `%s0 : type` or `zero : type`. No region has an argument for it, so that a
/// name in front, `%S = %s0 : type`, is allowed and means nothing.
static ParseResult parseState(OpAsmParser &parser, Entries &inits, RankedTensorType &type, bool &hasOperand) {
  OpAsmParser::UnresolvedOperand operand;
  auto parseValue = [&]() -> ParseResult {
    hasOperand = failed(parser.parseOptionalKeyword("zero"));
    return hasOperand ? parser.parseOperand(operand) : success();
  };
  if (parseValue() || (hasOperand && succeeded(parser.parseOptionalEqual()) && parseValue()) ||
      parser.parseColon() || parser.parseType(type))
    return failure();
  if (hasOperand) {
    inits.operands.push_back(operand);
    inits.types.push_back(type);
  }
  return success();
}

ParseResult linmu::pattern::parseLoopClauses(OpAsmParser &parser, OperationState &result,
                                             SmallVectorImpl<OpAsmParser::Argument> &arguments,
                                             bool withMasks) {
  MLIRContext *context = parser.getContext();
  Builder builder(context);
  if (succeeded(parser.parseOptionalKeyword("reverse")))
    result.addAttribute("reverse", builder.getUnitAttr());

  Entries params, tokens, tails, inits, order, segments, sourceMask, outputMask;
  SmallVector<int64_t> tailOf, initOf, zeroes;
  SmallVector<Type> finalTypes;
  SmallVector<StringRef> tokenNames;

  auto parseArgument = [&](unsigned leading, bool optionalOperand, Entries &entries, RankedTensorType &type,
                           bool &hasOperand, bool allowTail) -> ParseResult {
    OpAsmParser::Argument argument;
    OpAsmParser::UnresolvedOperand operand, tail;
    bool hasTail = false;
    if (parser.parseArgument(argument) || parser.parseEqual())
      return failure();
    hasOperand = !(optionalOperand && succeeded(parser.parseOptionalKeyword("zero")));
    if (hasOperand && parser.parseOperand(operand))
      return failure();
    if (allowTail && succeeded(parser.parseOptionalKeyword("tail"))) {
      hasTail = true;
      if (parser.parseOperand(tail))
        return failure();
    }
    RankedTensorType tailType;
    if (parser.parseColon() || parser.parseType(type))
      return failure();
    if (hasTail) {
      if (parser.parseComma() || parser.parseType(tailType))
        return failure();
      tailOf.push_back(entries.operands.size());
      tails.operands.push_back(tail);
      tails.types.push_back(tailType);
    }
    if (hasOperand) {
      entries.operands.push_back(operand);
      entries.types.push_back(type);
    }
    argument.type = sliceType(type, leading);
    arguments.push_back(argument);
    return success();
  };
  auto parseList = [&](function_ref<ParseResult()> element) {
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, element);
  };
  auto parseSingle = [&](StringRef keyword, Entries &entry) -> ParseResult {
    if (failed(parser.parseOptionalKeyword(keyword)))
      return success();
    RankedTensorType type;
    if (parser.parseLParen() || parser.parseOperand(entry.operands.emplace_back()) || parser.parseColon() ||
        parser.parseType(type) || parser.parseRParen())
      return failure();
    entry.types.push_back(type);
    return success();
  };

  RankedTensorType type;
  bool hasOperand = false;
  if (succeeded(parser.parseOptionalKeyword("params")) &&
      parseList([&] { return parseArgument(1, false, params, type, hasOperand, false); }))
    return failure();
  unsigned firstToken = arguments.size();
  if (succeeded(parser.parseOptionalKeyword("tokens")) &&
      parseList([&] { return parseArgument(3, false, tokens, type, hasOperand, true); }))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("states")) && parseList([&]() -> ParseResult {
        if (withMasks ? parseArgument(2, true, inits, type, hasOperand, false)
                      : parseState(parser, inits, type, hasOperand))
          return failure();
        if (hasOperand)
          initOf.push_back(finalTypes.size());
        finalTypes.push_back(type);
        return success();
      }))
    return failure();
  if (parseSingle("order", order))
    return failure();
  if (withMasks) {
    if (parseSingle("segments", segments) || parseSingle("source_mask", sourceMask))
      return failure();
    if (!sourceMask.operands.empty()) {
      if (parser.parseKeyword("zeroes") || parseList([&]() -> ParseResult {
            OpAsmParser::UnresolvedOperand name;
            SMLoc loc = parser.getCurrentLocation();
            if (parser.parseOperand(name))
              return failure();
            for (auto [index, argument] : llvm::enumerate(ArrayRef(arguments).drop_front(firstToken)))
              if (argument.ssaName.name == name.name && index < tokens.operands.size()) {
                zeroes.push_back(index);
                return success();
              }
            return parser.emitError(loc) << "'zeroes' requires a token argument, got '" << name.name << "'";
          }))
        return failure();
    }
    if (parseSingle("output_mask", outputMask))
      return failure();
  }

  SmallVector<Type> outputTypes;
  if (succeeded(parser.parseOptionalArrow()) && parseList([&]() -> ParseResult {
        RankedTensorType output;
        if (parser.parseType(output))
          return failure();
        outputTypes.push_back(output);
        return success();
      }))
    return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();

  SmallVector<int32_t> operandSizes;
  SMLoc loc = parser.getNameLoc();
  auto add = [&](Entries &entries) -> ParseResult {
    operandSizes.push_back(entries.operands.size());
    return parser.resolveOperands(entries.operands, entries.types, loc, result.operands);
  };
  if (add(params) || add(tokens) || add(tails) || add(inits) || add(order))
    return failure();
  if (withMasks && (add(segments) || add(sourceMask) || add(outputMask)))
    return failure();
  result.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(operandSizes));
  result.addAttribute("resultSegmentSizes",
                      builder.getDenseI32ArrayAttr({int32_t(outputTypes.size()), int32_t(finalTypes.size()),
                                                    int32_t(tails.types.size())}));
  auto addIndices = [&](StringRef name, ArrayRef<int64_t> indices) {
    if (!indices.empty())
      result.addAttribute(name, builder.getDenseI64ArrayAttr(indices));
  };
  addIndices("tail_owners", tailOf);
  addIndices("init_owners", initOf);
  addIndices("zeroes", zeroes);
  result.addTypes(outputTypes);
  result.addTypes(finalTypes);
  result.addTypes(tails.types);
  return success();
}

template <typename LoopOp>
void linmu::pattern::printLoopClauses(OpAsmPrinter &printer, LoopOp op, ValueRange arguments) {
  if (op.getReverse())
    printer << " reverse";
  unsigned next = 0;
  auto clause = [&](StringRef keyword) {
    printer.printNewline();
    printer << "    " << keyword;
  };
  auto printArgument = [&](Value operand, Type type) {
    printer.printRegionArgument(cast<BlockArgument>(arguments[next++]), {}, /*omitType=*/true);
    printer << " = ";
    if (operand)
      printer << operand;
    else
      printer << "zero";
    return type;
  };
  if (!op.getParams().empty()) {
    clause("params(");
    llvm::interleaveComma(op.getParams(), printer, [&](Value param) {
      printArgument(param, param.getType());
      printer << " : " << param.getType();
    });
    printer << ")";
  }
  if (!op.getTokens().empty()) {
    clause("tokens(");
    unsigned index = 0;
    llvm::interleaveComma(op.getTokens(), printer, [&](Value token) {
      printArgument(token, token.getType());
      Value tail = op.getTailOf(index++);
      if (tail)
        printer << " tail " << tail;
      printer << " : " << token.getType();
      if (tail)
        printer << ", " << tail.getType();
    });
    printer << ")";
  }
  if (!op.getFinals().empty()) {
    clause("states(");
    unsigned index = 0;
    llvm::interleaveComma(op.getFinals(), printer, [&](Value final) {
      if (next < arguments.size())
        printArgument(op.getInitOf(index), final.getType());
      else if (Value init = op.getInitOf(index))
        printer << init;
      else
        printer << "zero";
      ++index;
      printer << " : " << final.getType();
    });
    printer << ")";
  }
  auto single = [&](StringRef keyword, Value value) {
    if (!value)
      return;
    clause(keyword);
    printer << "(" << value << " : " << value.getType() << ")";
  };
  single("order", op.getOrder());
  if constexpr (!std::is_same_v<LoopOp, NormalScanOp>) {
    single("segments", op.getSegments());
    single("source_mask", op.getSourceMask());
    if (op.getSourceMask()) {
      printer << " zeroes(";
      llvm::interleaveComma(op.getZeroes(), printer,
                            [&](int64_t token) { printer << arguments[op.getParams().size() + token]; });
      printer << ")";
    }
    single("output_mask", op.getOutputMask());
  }
  if (!op.getOutputs().empty()) {
    clause("-> (");
    llvm::interleaveComma(op.getOutputs().getTypes(), printer);
    printer << ")";
  }
  printer.printOptionalAttrDictWithKeyword(
      op->getAttrs(),
      {"operandSegmentSizes", "resultSegmentSizes", "reverse", "tail_owners", "init_owners", "zeroes"});
  printer << " ";
}

//===------------------------------------------------------------------------------------------------===//
// Verification
//===------------------------------------------------------------------------------------------------===//

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
  if (failed(
          verifyOwners(op, "tail_owners", op.getTailOwners(), op.getTails().size(), op.getTokens().size())) ||
      failed(
          verifyOwners(op, "init_owners", op.getInitOwners(), op.getInits().size(), op.getFinals().size())) ||
      failed(verifyPerToken(op, "order", op.getOrder())))
    return failure();
  for (auto [index, owner] : llvm::enumerate(op.getTailOwners())) {
    auto tail = cast<RankedTensorType>(op.getTails()[index].getType());
    auto token = cast<RankedTensorType>(op.getTokens()[owner].getType());
    SmallVector<int64_t> expected(token.getShape());
    if (tail.getRank() == token.getRank())
      expected[1] = tail.getDimSize(1);
    if (tail.getRank() != token.getRank() || tail.isDynamicDim(1) || tail.getDimSize(1) < 1 ||
        tail.getDimSize(1) > 3 || tail.getShape() != ArrayRef(expected) ||
        tail.getElementType() != token.getElementType())
      return op.emitOpError("requires tail #")
             << index << " to be its token operand's type with 1 to 3 tokens, got " << tail << " for "
             << token;
  }
  for (auto [index, owner] : llvm::enumerate(op.getInitOwners()))
    if (op.getInits()[index].getType() != op.getFinals()[owner].getType())
      return op.emitOpError("requires the initial value of state #")
             << owner << " to have type " << op.getFinals()[owner].getType() << ", got "
             << op.getInits()[index].getType();
  return success();
}

template <typename LoopOp> static ParseResult parseLoop(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  if (parseLoopClauses(parser, result, arguments, /*withMasks=*/true))
    return failure();
  return parser.parseRegion(*result.addRegion(), arguments);
}

template <typename LoopOp> static void printLoop(OpAsmPrinter &printer, LoopOp op) {
  printLoopClauses(printer, op, op.getStep().getArguments());
  printer.printRegion(op.getStep(), /*printEntryBlockArgs=*/false);
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

ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseLoop<ScanOp>(parser, result);
}
ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseLoop<MapOp>(parser, result);
}
void ScanOp::print(OpAsmPrinter &printer) { printLoop(printer, *this); }
void MapOp::print(OpAsmPrinter &printer) { printLoop(printer, *this); }

/// The clauses that normal_scan lacks.
template <typename LoopOp> static LogicalResult verifyMasks(LoopOp op) {
  if (failed(verifyPerToken(op, "segments", op.getSegments())) ||
      failed(verifyPerToken(op, "source_mask", op.getSourceMask())) ||
      failed(verifyPerToken(op, "output_mask", op.getOutputMask())))
    return failure();
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

template void linmu::pattern::printLoopClauses(OpAsmPrinter &, NormalScanOp, ValueRange);
template LogicalResult linmu::pattern::verifyLoopOperands(NormalScanOp, int64_t);
