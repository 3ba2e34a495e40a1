// The text of window_attention and window_adjoint.
#include "dialects/pattern/WindowClauses.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace linmu::pattern;

namespace {
/// window_attention %q, %k, %v media(%m : type) window [16, 4, 4] shift [8, 2, 2] scale 0.125 wrap masked
///     : (q, k, v) -> type
/// The five clauses come in any order. An adjoint has the cotangent as a fourth operand, and three results.
class WindowParser {
public:
  WindowParser(OpAsmParser &parser, OperationState &result, bool adjoint)
      : parser(parser), result(result), adjoint(adjoint) {}
  ParseResult parse();

private:
  ParseResult parseOperands();
  ParseResult parseClauses();
  ParseResult parseClause(StringRef name);
  ParseResult parseMedia();
  ParseResult parseTriple(StringRef keyword);
  ParseResult parseWrap();
  ParseResult parseTypes();
  ParseResult fail(const Twine &message) { return parser.emitError(parser.getCurrentLocation(), message); }

  OpAsmParser &parser;
  OperationState &result;
  bool adjoint;
  llvm::StringSet<> seen;
  SmallVector<OpAsmParser::UnresolvedOperand, 4> operands;
  OpAsmParser::UnresolvedOperand media;
  Type media_type;
};
} // namespace

static constexpr StringLiteral windowClauses[] = {"media", "window", "shift", "scale", "wrap"};
static constexpr StringLiteral windowExamples[] = {"media(%media : tensor<?x4xi32>)", "window [16, 4, 4]",
                                                   "shift [8, 2, 2]", "scale 0.125", "wrap masked"};

ParseResult WindowParser::parseOperands() {
  for (int index = 0; index < (adjoint ? 4 : 3); ++index) {
    OptionalParseResult operand;
    if (!index || succeeded(parser.parseOptionalComma()))
      operand = parser.parseOptionalOperand(operands.emplace_back());
    if (!operand.has_value())
      return fail(adjoint ? "requires query, key, value and cotangent, as in %q, %k, %v, %do"
                          : "requires query, key and value, as in %q, %k, %v");
    if (*operand)
      return failure();
  }
  return success();
}

ParseResult WindowParser::parseMedia() {
  if (parser.parseOptionalLParen())
    return fail("requires '(' after 'media', as in " + windowExamples[0]);
  if (parser.parseOperand(media) || parser.parseColonType(media_type))
    return failure();
  return parser.parseRParen();
}

/// `window [16, 4, 4]`, or an alias of `array<i64: 16, 4, 4>` in place of the list.
ParseResult WindowParser::parseTriple(StringRef keyword) {
  SmallVector<int64_t> values;
  SMLoc place = parser.getCurrentLocation();
  auto refuse = [&] {
    return parser.emitError(place) << "requires " << keyword
                                   << " as [t, h, w] or an alias of array<i64: t, h, w>";
  };
  if (failed(parser.parseOptionalLSquare())) {
    if (succeeded(parser.parseOptionalLParen()))
      return refuse() << ", got '('";
    Attribute alias;
    if (parser.parseAttribute(alias))
      return failure();
    if (!isa<DenseI64ArrayAttr>(alias))
      return refuse() << ", got " << alias;
    result.addAttribute(keyword, alias);
    return success();
  }
  if (parser.parseCommaSeparatedList([&] { return parser.parseInteger(values.emplace_back()); }) ||
      parser.parseRSquare())
    return failure();
  result.addAttribute(keyword, parser.getBuilder().getDenseI64ArrayAttr(values));
  return success();
}

ParseResult WindowParser::parseWrap() {
  SMLoc place = parser.getCurrentLocation();
  StringRef wrap;
  if (parser.parseOptionalKeyword(&wrap) || (wrap != "masked" && wrap != "joined"))
    return parser.emitError(place) << "requires wrap to be 'masked' or 'joined', got '" << wrap << "'";
  if (wrap == "joined")
    result.addAttribute("join_wrapped", parser.getBuilder().getUnitAttr());
  return success();
}

ParseResult WindowParser::parseClause(StringRef name) {
  if (name == "media")
    return parseMedia();
  if (name == "wrap")
    return parseWrap();
  if (name != "scale")
    return parseTriple(name);
  double scale = 0;
  if (parser.parseFloat(scale))
    return failure();
  result.addAttribute("scale", parser.getBuilder().getF64FloatAttr(scale));
  return success();
}

ParseResult WindowParser::parseClauses() {
  while (true) {
    SMLoc place = parser.getCurrentLocation();
    const auto *clause = llvm::find_if(
        windowClauses, [&](StringRef name) { return succeeded(parser.parseOptionalKeyword(name)); });
    if (clause == std::end(windowClauses))
      break;
    if (!seen.insert(*clause).second)
      return parser.emitError(place) << "requires clause '" << *clause << "' once";
    if (parseClause(*clause))
      return failure();
  }
  SMLoc place = parser.getCurrentLocation();
  StringRef word;
  if (succeeded(parser.parseOptionalKeyword(&word)))
    return parser.emitError(place) << "requires the clauses media, window, shift, scale and wrap, got '"
                                   << word << "'";
  for (auto [clause, example] : llvm::zip(windowClauses, windowExamples))
    if (!seen.contains(clause))
      return parser.emitError(place) << "requires clause '" << clause << "', as in " << example;
  return success();
}

ParseResult WindowParser::parseTypes() {
  SmallVector<Type> types, results;
  SMLoc loc = parser.getNameLoc();
  auto refuse = [&] {
    return fail(
        adjoint ? "requires the types of query, key, value and cotangent, and of the gradients of the first "
                  "three, as in : (!q, !k, !v, !o) -> (!q, !k, !v)"
                : "requires the types of query, key, value and result, as in : (!q, !k, !v) -> !o");
  };
  if (parser.parseOptionalColon() || parser.parseOptionalLParen())
    return refuse();
  if (parser.parseTypeList(types) || parser.parseRParen())
    return failure();
  if (parser.parseOptionalArrow())
    return refuse();
  if (adjoint ? parser.parseLParen() || parser.parseTypeList(results) || parser.parseRParen()
              : bool(parser.parseType(results.emplace_back())))
    return failure();
  if (types.size() != operands.size())
    return parser.emitError(loc) << "requires the types of query, key"
                                 << (adjoint ? ", value and cotangent" : " and value") << ", got "
                                 << types.size();
  if (adjoint && results.size() != 3)
    return parser.emitError(loc) << "requires the types of the gradients of query, key and value, got "
                                 << results.size();
  operands.push_back(media);
  types.push_back(media_type);
  result.addTypes(results);
  return parser.resolveOperands(operands, types, loc, result.operands);
}

ParseResult WindowParser::parse() {
  if (parseOperands() || parseClauses() || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  return parseTypes();
}

ParseResult linmu::pattern::parseWindow(OpAsmParser &parser, OperationState &result, bool adjoint) {
  return WindowParser(parser, result, adjoint).parse();
}

void linmu::pattern::printWindow(OpAsmPrinter &printer, const WindowView &view, Value cotangent) {
  auto triple = [&](StringRef keyword, ArrayRef<int64_t> values) {
    printer << " " << keyword << " [";
    llvm::interleaveComma(values, printer);
    printer << "]";
  };
  SmallVector<Value> operands{view.query, view.key, view.value};
  if (cotangent)
    operands.push_back(cotangent);
  printer << " ";
  printer.printOperands(operands);
  printer << " media(" << view.media << " : " << view.media.getType() << ")";
  triple("window", view.window);
  triple("shift", view.shift);
  printer << " scale ";
  printer.printFloat(APFloat(view.scale));
  printer << " wrap " << (view.join_wrapped ? "joined" : "masked");
  printer.printOptionalAttrDict(view.op->getAttrs(), {"window", "shift", "scale", "join_wrapped"});
  printer << " : (";
  llvm::interleaveComma(ValueRange(operands).getTypes(), printer);
  printer << ") -> ";
  if (cotangent)
    printer << "(" << view.op->getResultTypes() << ")";
  else
    printer << view.op->getResult(0).getType();
}
