#include "dialects/pattern/TokenLoop.h"
#include <cmath>

using namespace mlir;
using namespace linmu::pattern;

/// Tokens are counted in i32: no grid fills a larger window.
static constexpr int64_t largestVolume = INT32_MAX;

/// `window [16, 4, 4]`, or an alias of `array<i64: 16, 4, 4>` in place of the list.
static ParseResult parseTriple(OpAsmParser &parser, StringRef keyword, OperationState &result) {
  if (parser.parseKeyword(keyword))
    return failure();
  SmallVector<int64_t> values;
  if (failed(parser.parseOptionalLSquare())) {
    Attribute alias;
    SMLoc place = parser.getCurrentLocation();
    if (parser.parseAttribute(alias))
      return failure();
    if (!isa<DenseI64ArrayAttr>(alias))
      return parser.emitError(place) << "requires " << keyword
                                     << " as [t, h, w] or an alias of array<i64: t, h, w>, got " << alias;
    result.addAttribute(keyword, alias);
    return success();
  }
  if (parser.parseCommaSeparatedList([&] { return parser.parseInteger(values.emplace_back()); }) ||
      parser.parseRSquare())
    return failure();
  result.addAttribute(keyword, parser.getBuilder().getDenseI64ArrayAttr(values));
  return success();
}

/// window_attention %q, %k, %v media(%m : type) window [16, 4, 4] shift [8, 2, 2] scale 0.125 wrap masked
///     : (q, k, v) -> type { ^bb0(%score: f32, ...): ... }
ParseResult WindowAttentionOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand, 4> operands(3);
  SmallVector<Type> types;
  Type mediaType, resultType;
  double scale = 0;
  OpAsmParser::UnresolvedOperand media;
  SMLoc loc = parser.getCurrentLocation();
  StringRef wrap;
  if (parser.parseOperand(operands[0]) || parser.parseComma() || parser.parseOperand(operands[1]) ||
      parser.parseComma() || parser.parseOperand(operands[2]) || parser.parseKeyword("media") ||
      parser.parseLParen() || parser.parseOperand(media) || parser.parseColonType(mediaType) ||
      parser.parseRParen() || parseTriple(parser, "window", result) || parseTriple(parser, "shift", result) ||
      parser.parseKeyword("scale") || parser.parseFloat(scale) || parser.parseKeyword("wrap"))
    return failure();
  SMLoc wrapLoc = parser.getCurrentLocation();
  if (parser.parseKeyword(&wrap))
    return failure();
  if (wrap != "masked" && wrap != "joined")
    return parser.emitError(wrapLoc) << "requires wrap to be 'masked' or 'joined', got '" << wrap << "'";
  result.addAttribute("scale", parser.getBuilder().getF64FloatAttr(scale));
  if (wrap == "joined")
    result.addAttribute("join_wrapped", parser.getBuilder().getUnitAttr());
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() || parser.parseLParen() ||
      parser.parseTypeList(types) || parser.parseRParen() || parser.parseArrow() ||
      parser.parseType(resultType))
    return failure();
  if (types.size() != 3)
    return parser.emitError(loc) << "requires the types of query, key and value, got " << types.size();
  operands.push_back(media);
  types.push_back(mediaType);
  if (parser.resolveOperands(operands, types, loc, result.operands))
    return failure();
  result.addTypes(resultType);
  Region *score = result.addRegion();
  OptionalParseResult region = parser.parseOptionalRegion(*score);
  return region.has_value() ? *region : success();
}

void WindowAttentionOp::print(OpAsmPrinter &printer) {
  auto triple = [&](StringRef keyword, ArrayRef<int64_t> values) {
    printer << " " << keyword << " [";
    llvm::interleaveComma(values, printer);
    printer << "]";
  };
  printer << " " << getQuery() << ", " << getKey() << ", " << getValue() << " media(" << getMedia() << " : "
          << getMedia().getType() << ")";
  triple("window", getWindow());
  triple("shift", getShift());
  printer << " scale ";
  printer.printFloat(getScale());
  printer << " wrap " << (getJoinWrapped() ? "joined" : "masked");
  printer.printOptionalAttrDict((*this)->getAttrs(), {"window", "shift", "scale", "join_wrapped"});
  printer << " : (" << getQuery().getType() << ", " << getKey().getType() << ", " << getValue().getType()
          << ") -> " << getResult().getType();
  if (!getScore().empty()) {
    printer << " ";
    printer.printRegion(getScore());
  }
}

LogicalResult WindowAttentionOp::verify() {
  auto query = cast<RankedTensorType>(getQuery().getType()), key = cast<RankedTensorType>(getKey().getType()),
       value = cast<RankedTensorType>(getValue().getType()),
       result = cast<RankedTensorType>(getResult().getType());
  auto checkRank = [&](StringRef name, RankedTensorType type) -> LogicalResult {
    if (type.getRank() != 4 || !type.isDynamicDim(0) || !type.isDynamicDim(1) || type.isDynamicDim(2) ||
        type.isDynamicDim(3) || type.getDimSize(2) == 0 || type.getDimSize(3) == 0 ||
        !isa<FloatType>(type.getElementType()))
      return emitOpError("requires ")
             << name << " of type tensor<?x?xHxDxT> with float elements and positive H and D, got " << type;
    return success();
  };
  if (failed(checkRank("query", query)) || failed(checkRank("key", key)) ||
      failed(checkRank("value", value)) || failed(checkRank("result", result)))
    return failure();
  if (query.getDimSize(3) != key.getDimSize(3))
    return emitOpError("requires key to have the query's ")
           << query.getDimSize(3) << " features, got " << key.getDimSize(3);
  if (query.getDimSize(2) % key.getDimSize(2) || query.getDimSize(2) % value.getDimSize(2))
    return emitOpError("requires the head counts of key and value to divide the query's ")
           << query.getDimSize(2) << ", got " << key.getDimSize(2) << " and " << value.getDimSize(2);
  if (result.getDimSize(2) != query.getDimSize(2) || result.getDimSize(3) != value.getDimSize(3))
    return emitOpError("requires a result of ")
           << query.getDimSize(2) << " heads and " << value.getDimSize(3) << " features, got " << result;
  auto media = cast<RankedTensorType>(getMedia().getType());
  if (!media.isDynamicDim(0) || media.getDimSize(1) != 4)
    return emitOpError("requires media of type tensor<?x4xi32>, got ") << media;
  if (!std::isfinite(getScale().convertToDouble()))
    return emitOpError("requires a finite scale, got ") << getScale().convertToDouble();
  if (getWindow().size() != 3 || getShift().size() != 3)
    return emitOpError("requires window and shift to have three entries (t, h, w), got ")
           << getWindow().size() << " and " << getShift().size();
  int64_t volume = 1;
  for (unsigned axis = 0; axis < 3; ++axis) {
    int64_t size = getWindow()[axis];
    if (size < 1)
      return emitOpError("requires positive window sizes, got ") << size << " on axis " << axis;
    if (size > largestVolume / volume)
      return emitOpError("requires a window of at most ")
             << largestVolume << " tokens (t * h * w), got [" << getWindow()
             << "]; a size beyond the grid's means the grid's";
    volume *= size;
  }
  for (unsigned axis = 0; axis < 3; ++axis)
    if (getShift()[axis] < 0 || getShift()[axis] >= getWindow()[axis])
      return emitOpError("requires 0 <= shift < window on each axis, got ")
             << getShift()[axis] << " with window " << getWindow()[axis] << " on axis " << axis;
  return success();
}

LogicalResult WindowAttentionOp::verifyRegions() {
  if (getScore().empty())
    return success();
  Block &block = getScore().front();
  Builder builder(getContext());
  SmallVector<Type> expected(8, builder.getI32Type());
  expected[0] = builder.getF32Type();
  if (block.getArgumentTypes() != TypeRange(expected))
    return emitOpError("requires a score region with arguments (f32, i32 x 7), got ")
           << block.getArgumentTypes();
  if (failed(verifyStepOps(*this, block)))
    return failure();
  auto yield = dyn_cast<YieldOp>(block.back());
  if (!yield || !yield.getStates().empty() || yield.getOutputs().size() != 1 ||
      !yield.getOutputs()[0].getType().isF32())
    return emitOpError("requires the score region to yield one f32 output");
  return success();
}
