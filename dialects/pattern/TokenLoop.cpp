// What scan, map and normal_scan share: access to their parts, and printing.
#include "dialects/pattern/TokenLoop.h"
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
  single("sequences", op.getSequences());
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
  SmallVector<StringRef> said{"operandSegmentSizes", "resultSegmentSizes", "reverse",
                              "tail_owners",         "init_owners",        "zeroes"};
  if (op.getTailMasks().empty())
    said.push_back("tail_masks");
  printer.printOptionalAttrDictWithKeyword(op->getAttrs(), said);
  printer << " ";
}

static ParseResult parseLoop(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  if (parseLoopClauses(parser, result, arguments, /*withMasks=*/true))
    return failure();
  SMLoc place = parser.getCurrentLocation();
  OptionalParseResult step = parser.parseOptionalRegion(*result.addRegion(), arguments);
  if (!step.has_value())
    return parser.emitError(place, "requires '{' and the step after the clauses");
  return *step;
}

template <typename LoopOp> static void printLoop(OpAsmPrinter &printer, LoopOp op) {
  printLoopClauses(printer, op, op.getStep().getArguments());
  printer.printRegion(op.getStep(), /*printEntryBlockArgs=*/false);
}

ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &result) { return parseLoop(parser, result); }
ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) { return parseLoop(parser, result); }
void ScanOp::print(OpAsmPrinter &printer) { printLoop(printer, *this); }
void MapOp::print(OpAsmPrinter &printer) { printLoop(printer, *this); }

template void linmu::pattern::printLoopClauses(OpAsmPrinter &, NormalScanOp, ValueRange);
