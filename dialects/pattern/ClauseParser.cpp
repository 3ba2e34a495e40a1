// Which clauses there are, in any order, and the op that they make.
#include "dialects/pattern/ClauseParser.h"

using namespace mlir;
using namespace linmu::pattern;

using Argument = OpAsmParser::Argument;
using Operand = OpAsmParser::UnresolvedOperand;

static constexpr StringLiteral maskClauses[] = {"segments", "source_mask", "zeroes", "output_mask"};
static constexpr StringLiteral clauses[] = {"reverse", "params",      "tokens",   "states",
                                            "order",   "sequences",   "segments", "source_mask",
                                            "zeroes",  "output_mask", "->",       "attributes"};

ParseResult ClauseParser::parseClause(StringRef name, SMLoc place) {
  if (!seen.insert(name).second)
    return parser.emitError(place) << "requires clause '" << name
                                   << "' once; its entries stand in one list, separated by commas";
  if (name == "reverse")
    return result.addAttribute("reverse", parser.getBuilder().getUnitAttr()), success();
  if (name == "params")
    return parseList(name, "params(%wt = %w : tensor<8x64xf32>)", [&] { return parseParam(); });
  if (name == "tokens")
    return parseList(name, "tokens(%qt = %q : tensor<?x?x8x64xf32>)", [&] { return parseToken(); });
  if (name == "states" && result.name.getStringRef() == MapOp::getOperationName())
    return parser.emitError(place, "requires no state; a recurrence is a 'pattern.scan'");
  if (name == "states")
    return parseList(name, "states(%S = zero : tensor<?x8x64x64xf32>)",
                     [&] { return with_masks ? parseState() : parseNormalState(); });
  if (name == "zeroes")
    return parseList(name, "zeroes(%kt)", [&] { return parseZeroed(); });
  if (name == "->")
    return parseList(name, "-> (tensor<?x?x8x64xf32>)", [&] { return parseOutput(); });
  if (name == "attributes")
    return parser.parseOptionalAttrDict(result.attributes);
  bool mask = name.ends_with("mask");
  Entries &entry = name == "order"         ? order
                   : name == "sequences"   ? sequences
                   : name == "segments"    ? segments
                   : name == "source_mask" ? sourceMask
                                           : outputMask;
  return parseSingle(name,
                     mask                  ? "tensor<?x?xi1>"
                     : name == "sequences" ? "tensor<?xi32>"
                                           : "tensor<?x?xi32>",
                     entry);
}

ParseResult ClauseParser::parse() {
  auto here = [&](StringRef name) {
    bool known = with_masks || !llvm::is_contained(maskClauses, name);
    return known && succeeded(name == "->" ? parser.parseOptionalArrow() : parser.parseOptionalKeyword(name));
  };
  while (true) {
    SMLoc place = parser.getCurrentLocation();
    const auto *clause = llvm::find_if(clauses, here);
    if (clause == std::end(clauses))
      break;
    if (parseClause(*clause, place))
      return failure();
  }
  SMLoc place = parser.getCurrentLocation();
  StringRef word;
  if (with_masks && succeeded(parser.parseOptionalKeyword(&word))) {
    if (word.contains('.')) // an op
      return parser.emitError(place, "requires '{' and the step after the clauses");
    const auto *nearest =
        std::min_element(std::begin(clauses), std::end(clauses), [&](StringRef a, StringRef b) {
          return word.edit_distance(a) < word.edit_distance(b);
        });
    InFlightDiagnostic error = parser.emitError(place);
    error << "requires one of the clauses reverse, params, tokens, states, order, sequences, segments, "
             "source_mask, zeroes, output_mask and -> (outputs), or the step in braces, got '"
          << word << "'";
    if (word.edit_distance(*nearest) <= 2)
      error << "; did you mean '" << *nearest << "'?";
    return error;
  }
  return resolveZeroed();
}

ParseResult ClauseParser::resolveZeroed() {
  if (seen.contains("zeroes") && sourceMask.operands.empty())
    return parser.emitError(parser.getNameLoc(), "requires source_mask(%m : tensor<?x?xi1>) beside 'zeroes'");
  if (!sourceMask.operands.empty() && !seen.contains("zeroes"))
    return parser.emitError(
        sourceMask.operands.back().location,
        "requires zeroes(...) after source_mask(...): the token arguments that read as zero "
        "where the mask is false, as in zeroes(%kt)");
  for (const Operand &operand : zeroed) {
    const auto *found =
        llvm::find_if(tokenArguments, [&](Argument &token) { return token.ssaName.name == operand.name; });
    if (found == tokenArguments.end())
      return parser.emitError(operand.location)
             << "'zeroes' requires a token argument, got '" << operand.name << "'";
    zeroes.push_back(found - tokenArguments.begin());
  }
  return success();
}

ParseResult ClauseParser::finish(SmallVectorImpl<Argument> &arguments) {
  Builder &builder = parser.getBuilder();
  SmallVector<int32_t> operandSizes;
  SMLoc loc = parser.getNameLoc();
  auto add = [&](Entries &entries) -> ParseResult {
    operandSizes.push_back(entries.operands.size());
    return parser.resolveOperands(entries.operands, entries.types, loc, result.operands);
  };
  // The segments count as the token operand behind the last one, wherever their clause stands.
  if (!segmentsTail.operands.empty()) {
    tailOf.push_back(tokens.operands.size());
    tails.operands.append(segmentsTail.operands);
    tails.types.append(segmentsTail.types);
  }
  if (add(params) || add(tokens) || add(tails) || add(inits) || add(order) || add(sequences))
    return failure();
  if (with_masks && (add(segments) || add(sourceMask) || add(outputMask)))
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
  for (auto *group : {&paramArguments, &tokenArguments, &stateArguments})
    arguments.append(group->begin(), group->end());
  return success();
}

ParseResult linmu::pattern::parseLoopClauses(OpAsmParser &parser, OperationState &result,
                                             SmallVectorImpl<Argument> &arguments, bool withMasks) {
  ClauseParser clauses(parser, result, withMasks);
  return failure(clauses.parse() || clauses.finish(arguments));
}
