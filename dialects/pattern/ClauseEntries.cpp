// The entries of each clause: `%argument = %operand : type`.
#include "dialects/pattern/ClauseParser.h"

using namespace mlir;
using namespace linmu::pattern;

using Argument = OpAsmParser::Argument;
using Operand = OpAsmParser::UnresolvedOperand;

/// What a tensor of that part may look like.
static StringRef exampleOf(Part part) {
  return part == Part::param   ? "tensor<8x64xf32>"
         : part == Part::state ? "tensor<?x8x64x64xf32>"
                               : "tensor<?x?x8x64xf32>";
}

/// `(entry, entry, ...)`.
ParseResult ClauseParser::parseList(StringRef clause, StringRef entry,
                                    function_ref<ParseResult()> parseEntry) {
  if (parser.parseOptionalLParen())
    return fail("requires '(' after '" + clause + "', as in " + entry);
  if (succeeded(parser.parseOptionalRParen()))
    return success();
  do {
    if (parseEntry())
      return failure();
  } while (succeeded(parser.parseOptionalComma()));
  if (parser.parseOptionalRParen())
    return fail("requires ',' or ')' after an entry of '" + clause + "', as in " + entry);
  return success();
}

/// `%name =`, the name of the step's argument. Its location carries the name, which messages repeat.
ParseResult ClauseParser::parseArgument(StringRef clause, StringRef entry, Argument &argument) {
  OptionalParseResult parsed = parser.parseOptionalArgument(argument);
  if (!parsed.has_value())
    return fail("requires a name for the step's argument in '" + clause + "', as in " + entry);
  if (*parsed)
    return failure();
  StringRef name = argument.ssaName.name;
  if (parser.parseOptionalEqual())
    return fail("requires '=' and an operand after the step's argument '" + name + "', as in " + entry);
  argument.sourceLoc = NameLoc::get(parser.getBuilder().getStringAttr(name),
                                    parser.getEncodedSourceLoc(argument.ssaName.location));
  return success();
}

ParseResult ClauseParser::parseOperand(StringRef clause, StringRef entry, Operand &operand) {
  OptionalParseResult parsed = parser.parseOptionalOperand(operand);
  if (!parsed.has_value())
    return fail("requires an operand in '" + clause + "', as in " + entry);
  return *parsed;
}

ParseResult ClauseParser::parseColonTensor(StringRef operand, Part part, RankedTensorType &type) {
  if (parser.parseOptionalColon())
    return fail("requires ':' and the type of '" + operand + "' after it, as in " + operand + " : " +
                exampleOf(part));
  return parsePart(operand, part, type);
}

/// A tensor that has the axes of that part.
ParseResult ClauseParser::parsePart(StringRef operand, Part part, RankedTensorType &type) {
  SMLoc place = parser.getCurrentLocation();
  if (parseTensor(operand, exampleOf(part), type))
    return failure();
  static constexpr StringLiteral kinds[] = {"param", "state", "token operand", "output"};
  std::string misfit = misfitOf(part, type);
  if (misfit.empty())
    return success();
  return parser.emitError(place) << "requires " << kinds[int(part)]
                                 << (part == Part::output ? "" : " '" + operand.str() + "'") << " " << misfit;
}

ParseResult ClauseParser::parseTensor(StringRef operand, StringRef example, RankedTensorType &type) {
  SMLoc place = parser.getCurrentLocation();
  Type any;
  if (parser.parseType(any))
    return failure();
  type = dyn_cast<RankedTensorType>(any);
  if (!type)
    return parser.emitError(place) << "requires '" << operand << "' to have a tensor type such as " << example
                                   << ", got " << any;
  Type element = type.getElementType();
  if (!element.isF32() && !element.isBF16() && !element.isF16() && !element.isInteger(32) &&
      !element.isInteger(1))
    return parser.emitError(place) << "requires '" << operand
                                   << "' to have elements of type f32, bf16, f16, i32 or i1, got " << type
                                   << "; write such a type and convert the array before the call";
  return success();
}

/// `tail %T` behind an operand, where the text has it.
ParseResult ClauseParser::parseOptionalTail(StringRef entry, Entries &tail) {
  if (failed(parser.parseOptionalKeyword("tail")))
    return success();
  return parseOperand("tail", entry, tail.operands.emplace_back());
}

/// `, type` behind the type of an operand that has a tail.
ParseResult ClauseParser::parseTailType(StringRef operand, StringRef example, Entries &tail) {
  if (tail.types.size() == tail.operands.size())
    return success();
  StringRef name = tail.operands.back().name;
  if (parser.parseOptionalComma())
    return fail("requires ',' and the type of tail '" + name + "' after that of '" + operand + "'");
  RankedTensorType type;
  if (parseTensor(name, example, type))
    return failure();
  tail.types.push_back(type);
  return success();
}

ParseResult ClauseParser::parseParam() {
  constexpr StringLiteral entry = "params(%wt = %w : tensor<8x64xf32>)";
  Argument argument;
  RankedTensorType type;
  if (parseArgument("params", entry, argument) ||
      parseOperand("params", entry, params.operands.emplace_back()) ||
      parseColonTensor(params.operands.back().name, Part::param, type))
    return failure();
  params.types.push_back(type);
  argument.type = sliceType(type, 1);
  paramArguments.push_back(argument);
  return success();
}

ParseResult ClauseParser::parseToken() {
  constexpr StringLiteral entry = "tokens(%qt = %q : tensor<?x?x8x64xf32>)";
  Argument argument;
  RankedTensorType type;
  if (parseArgument("tokens", entry, argument))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("zero")))
    return fail("requires an operand for '" + argument.ssaName.name + "'; only states start at zero");
  if (parseOperand("tokens", entry, tokens.operands.emplace_back()) ||
      parseOptionalTail("%xt = %x tail %t : type of %x, type of %t", tails))
    return failure();
  StringRef name = tokens.operands.back().name;
  if (parseColonTensor(name, Part::token, type))
    return failure();
  if (tails.types.size() < tails.operands.size())
    tailOf.push_back(tokens.types.size());
  if (parseTailType(name, "tensor<?x1x8x64xf32>", tails))
    return failure();
  tokens.types.push_back(type);
  argument.type = sliceType(type, 3);
  tokenArguments.push_back(argument);
  return success();
}

ParseResult ClauseParser::parseState() {
  constexpr StringLiteral entry = "states(%S = zero : tensor<?x8x64x64xf32>)";
  Argument argument;
  RankedTensorType type;
  if (parseArgument("states", entry, argument))
    return failure();
  StringRef name = argument.ssaName.name;
  if (failed(parser.parseOptionalKeyword("zero"))) {
    if (parseOperand("states", entry, inits.operands.emplace_back()))
      return failure();
    name = inits.operands.back().name;
    initOf.push_back(finalTypes.size());
  }
  if (parseColonTensor(name, Part::state, type))
    return failure();
  if (inits.types.size() < inits.operands.size())
    inits.types.push_back(type);
  finalTypes.push_back(type);
  argument.type = sliceType(type, 2);
  stateArguments.push_back(argument);
  return success();
}

/// A state of the normal form, `%s0 : type` or `zero : type`. No region has an argument for it, so that a
/// name in front, `%S = %s0 : type`, is allowed and means nothing.
ParseResult ClauseParser::parseNormalState() {
  Operand operand;
  bool hasOperand = false;
  auto parseValue = [&]() -> ParseResult {
    hasOperand = failed(parser.parseOptionalKeyword("zero"));
    return hasOperand ? parser.parseOperand(operand) : success();
  };
  RankedTensorType type;
  if (parseValue() || (hasOperand && succeeded(parser.parseOptionalEqual()) && parseValue()) ||
      parseColonTensor(hasOperand ? operand.name : "zero", Part::state, type))
    return failure();
  if (hasOperand) {
    initOf.push_back(finalTypes.size());
    inits.operands.push_back(operand);
    inits.types.push_back(type);
  }
  finalTypes.push_back(type);
  return success();
}

ParseResult ClauseParser::parseSingle(StringRef clause, StringRef type, Entries &entry) {
  std::string example = (clause + "(%i : " + type + ")").str();
  if (parser.parseOptionalLParen())
    return fail("requires '(' after '" + clause + "', as in " + example);
  if (parseOperand(clause, example, entry.operands.emplace_back()))
    return failure();
  StringRef name = entry.operands.back().name;
  if (clause == "segments") {
    if (parseOptionalTail("segments(%i tail %t : tensor<?x?xi32>, tensor<?x1xi32>)", segmentsTail))
      return failure();
  } else if (succeeded(parser.parseOptionalKeyword("tail"))) {
    return fail("requires no 'tail' in '" + clause + "'; only token operands and segments have one");
  }
  if (parser.parseOptionalColon())
    return fail("requires ':' and the type of '" + name + "' after it, as in " + example);
  SMLoc place = parser.getCurrentLocation();
  Type any;
  if (parser.parseType(any))
    return failure();
  auto parsed = dyn_cast<RankedTensorType>(any);
  Type element =
      clause.ends_with("mask") ? parser.getBuilder().getI1Type() : parser.getBuilder().getI32Type();
  bool ofSequences = clause == "sequences";
  if (!parsed || parsed.getRank() != (ofSequences ? 1 : 2) || parsed.getElementType() != element)
    return parser.emitError(place) << "requires operand '" << name << "' of " << clause << " to have type "
                                   << type << (ofSequences ? " (sequences + 1)" : " (batch, tokens)")
                                   << ", got " << any;
  if (clause == "segments" && parseTailType(name, "tensor<?x1xi32>", segmentsTail))
    return failure();
  if (parser.parseOptionalRParen())
    return fail("requires ')' after the operand of '" + clause + "', as in " + example);
  entry.types.push_back(parsed);
  return success();
}

ParseResult ClauseParser::parseZeroed() {
  OptionalParseResult parsed = parser.parseOptionalOperand(zeroed.emplace_back());
  if (!parsed.has_value())
    return fail("requires the name of a token argument in 'zeroes', as in zeroes(%kt)");
  return *parsed;
}

ParseResult ClauseParser::parseOutput() {
  RankedTensorType type;
  if (parsePart("output", Part::output, type))
    return failure();
  outputTypes.push_back(type);
  return success();
}
