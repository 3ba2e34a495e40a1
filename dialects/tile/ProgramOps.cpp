// Assembly of programs and kernels: a symbol, named operands, a body.
#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace linmu::tile;

static ParseResult parseOperandsAndBody(OpAsmParser &parser, OperationState &result,
                                        ArrayRef<StringRef> keywords, int64_t *firstCount) {
  StringAttr name;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(), result.attributes))
    return failure();
  SmallVector<OpAsmParser::Argument> arguments;
  for (StringRef keyword : keywords) {
    if (!keyword.empty() && parser.parseKeyword(keyword))
      return failure();
    if (parser.parseArgumentList(arguments, AsmParser::Delimiter::Paren, /*allowType=*/true))
      return failure();
    if (firstCount && keyword == keywords.front())
      *firstCount = arguments.size();
  }
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, arguments, /*enableNameShadowing=*/true))
    return failure();
  if (body->empty()) {
    body->emplaceBlock();
    for (const OpAsmParser::Argument &argument : arguments)
      body->addArgument(argument.type, result.location);
  }
  return success();
}

static void printArguments(OpAsmPrinter &printer, ArrayRef<BlockArgument> arguments) {
  printer << "(";
  llvm::interleaveComma(arguments, printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ")";
}

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  int64_t inputs = 0;
  if (parseOperandsAndBody(parser, result, {"inputs", "results"}, &inputs))
    return failure();
  result.addAttribute("num_inputs", parser.getBuilder().getI64IntegerAttr(inputs));
  return success();
}

void ProgramOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  printer << " inputs";
  printArguments(printer, getBody().getArguments().take_front(getNumInputs()));
  printer << " results";
  printArguments(printer, getBody().getArguments().drop_front(getNumInputs()));
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"sym_name", "num_inputs"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  return parseOperandsAndBody(parser, result, {""}, nullptr);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  printArguments(printer, getBody().getArguments());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"sym_name"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}
