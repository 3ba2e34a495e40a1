// The clauses of scan, map and normal_scan as text. They come in any order, each once; what is wrong with one
// is said in its own words, at the place where the text stops to fit.
#pragma once
#include "dialects/pattern/TokenLoop.h"
#include "llvm/ADT/StringSet.h"

namespace linmu::pattern {

/// Operands of one kind and their types.
struct Entries {
  llvm::SmallVector<mlir::OpAsmParser::UnresolvedOperand> operands;
  llvm::SmallVector<mlir::Type> types;
};

class ClauseParser {
public:
  ClauseParser(mlir::OpAsmParser &parser, mlir::OperationState &result, bool withMasks)
      : parser(parser), result(result), with_masks(withMasks) {}
  mlir::ParseResult parse();
  /// Operands, segment sizes and result types; the arguments of the step, params before tokens before states.
  mlir::ParseResult finish(llvm::SmallVectorImpl<mlir::OpAsmParser::Argument> &arguments);

private:
  mlir::ParseResult parseClause(llvm::StringRef name, llvm::SMLoc place);
  mlir::ParseResult parseList(llvm::StringRef clause, llvm::StringRef entry,
                              llvm::function_ref<mlir::ParseResult()> parseEntry);
  mlir::ParseResult parseParam();
  mlir::ParseResult parseToken();
  mlir::ParseResult parseState();
  mlir::ParseResult parseNormalState();
  mlir::ParseResult parseZeroed();
  mlir::ParseResult parseOutput();
  mlir::ParseResult parseSingle(llvm::StringRef clause, llvm::StringRef type, Entries &entry);
  mlir::ParseResult parseOptionalTail(llvm::StringRef entry, Entries &tail);
  mlir::ParseResult parseTailType(llvm::StringRef operand, llvm::StringRef example, Entries &tail);
  mlir::ParseResult parseArgument(llvm::StringRef clause, llvm::StringRef entry,
                                  mlir::OpAsmParser::Argument &argument);
  mlir::ParseResult parseOperand(llvm::StringRef clause, llvm::StringRef entry,
                                 mlir::OpAsmParser::UnresolvedOperand &operand);
  mlir::ParseResult parseColonTensor(llvm::StringRef operand, Part part, mlir::RankedTensorType &type);
  mlir::ParseResult parseTensor(llvm::StringRef operand, llvm::StringRef example,
                                mlir::RankedTensorType &type);
  mlir::ParseResult parsePart(llvm::StringRef operand, Part part, mlir::RankedTensorType &type);
  mlir::ParseResult resolveZeroed();
  mlir::ParseResult fail(const llvm::Twine &message) {
    return parser.emitError(parser.getCurrentLocation(), message);
  }

  mlir::OpAsmParser &parser;
  mlir::OperationState &result;
  bool with_masks;
  llvm::StringSet<> seen;
  Entries params, tokens, tails, inits, order, sequences, segments, segmentsTail, sourceMask, outputMask;
  llvm::SmallVector<mlir::OpAsmParser::Argument> paramArguments, tokenArguments, stateArguments;
  llvm::SmallVector<int64_t> tailOf, initOf, zeroes;
  llvm::SmallVector<mlir::OpAsmParser::UnresolvedOperand> zeroed;
  llvm::SmallVector<mlir::Type> finalTypes, outputTypes;
};

} // namespace linmu::pattern
