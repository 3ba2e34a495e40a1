// How scan and map are written; normal_scan shares their clauses.
#include "dialects/pattern/TokenLoop.h"

using namespace mlir;
using namespace linmu::pattern;

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

  // `tail %T : type, tail type` or `: type`, of the token operand or clause with this number.
  auto parseTypeAndTail = [&](int64_t owner, bool allowTail, RankedTensorType &type) -> ParseResult {
    OpAsmParser::UnresolvedOperand tail;
    bool hasTail = allowTail && succeeded(parser.parseOptionalKeyword("tail"));
    if ((hasTail && parser.parseOperand(tail)) || parser.parseColon() || parser.parseType(type))
      return failure();
    if (!hasTail)
      return success();
    RankedTensorType tailType;
    if (parser.parseComma() || parser.parseType(tailType))
      return failure();
    tailOf.push_back(owner);
    tails.operands.push_back(tail);
    tails.types.push_back(tailType);
    return success();
  };
  auto parseArgument = [&](unsigned leading, bool optionalOperand, Entries &entries, RankedTensorType &type,
                           bool &hasOperand, bool allowTail) -> ParseResult {
    OpAsmParser::Argument argument;
    OpAsmParser::UnresolvedOperand operand;
    if (parser.parseArgument(argument) || parser.parseEqual())
      return failure();
    hasOperand = !(optionalOperand && succeeded(parser.parseOptionalKeyword("zero")));
    if (hasOperand && parser.parseOperand(operand))
      return failure();
    if (parseTypeAndTail(entries.operands.size(), allowTail, type))
      return failure();
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
  auto parseSingle = [&](StringRef keyword, Entries &entry, bool allowTail = false) -> ParseResult {
    if (failed(parser.parseOptionalKeyword(keyword)))
      return success();
    RankedTensorType type;
    if (parser.parseLParen() || parser.parseOperand(entry.operands.emplace_back()) ||
        parseTypeAndTail(tokens.operands.size(), allowTail, type) || parser.parseRParen())
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
    if (parseSingle("segments", segments, /*allowTail=*/true) || parseSingle("source_mask", sourceMask))
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
  auto printTypeAndTail = [&](Value value, Value tail) {
    if (tail)
      printer << " tail " << tail;
    printer << " : " << value.getType();
    if (tail)
      printer << ", " << tail.getType();
  };
  if (!op.getTokens().empty()) {
    clause("tokens(");
    unsigned index = 0;
    llvm::interleaveComma(op.getTokens(), printer, [&](Value token) {
      printArgument(token, token.getType());
      printTypeAndTail(token, op.getTailOf(index++));
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
  auto single = [&](StringRef keyword, Value value, Value tail = {}) {
    if (!value)
      return;
    clause(keyword);
    printer << "(" << value;
    printTypeAndTail(value, tail);
    printer << ")";
  };
  single("order", op.getOrder());
  if constexpr (!std::is_same_v<LoopOp, NormalScanOp>) {
    single("segments", op.getSegments(), op.getTailOf(op.getTokens().size()));
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

ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseLoop<ScanOp>(parser, result);
}
ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseLoop<MapOp>(parser, result);
}
void ScanOp::print(OpAsmPrinter &printer) { printLoop(printer, *this); }
void MapOp::print(OpAsmPrinter &printer) { printLoop(printer, *this); }

template void linmu::pattern::printLoopClauses(OpAsmPrinter &, NormalScanOp, ValueRange);
