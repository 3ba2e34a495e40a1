// window_attention and window_adjoint: their text, and their verifiers.
#include "dialects/pattern/TokenLoop.h"
#include "dialects/pattern/WindowClauses.h"
#include <cmath>

using namespace mlir;
using namespace linmu::pattern;

/// Tokens are counted in i32: no grid fills a larger window.
static constexpr int64_t largestVolume = INT32_MAX;

ParseResult WindowAttentionOp::parse(OpAsmParser &parser, OperationState &result) {
  if (parseWindow(parser, result, /*adjoint=*/false))
    return failure();
  OptionalParseResult region = parser.parseOptionalRegion(*result.addRegion());
  return region.has_value() ? *region : success();
}

void WindowAttentionOp::print(OpAsmPrinter &printer) {
  printWindow(printer, WindowView::of(*this), {});
  if (getScore().empty())
    return;
  printer << " ";
  printer.printRegion(getScore());
}

/// `score { ... } gradient { ... }`, or neither.
ParseResult WindowAdjointOp::parse(OpAsmParser &parser, OperationState &result) {
  if (parseWindow(parser, result, /*adjoint=*/true))
    return failure();
  Region *score = result.addRegion(), *gradient = result.addRegion();
  if (parser.parseOptionalKeyword("score"))
    return success();
  return failure(parser.parseRegion(*score) || parser.parseKeyword("gradient") ||
                 parser.parseRegion(*gradient));
}

void WindowAdjointOp::print(OpAsmPrinter &printer) {
  printWindow(printer, WindowView::of(*this), getCotangent());
  for (auto [keyword, region] : {std::pair("score", &getScore()), std::pair("gradient", &getScoreGradient())})
    if (!region->empty()) {
      printer << " " << keyword << " ";
      printer.printRegion(*region);
    }
}

LogicalResult linmu::pattern::verifyWindowTensor(Operation *op, StringRef name, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() != 4 || !type.isDynamicDim(0) || !type.isDynamicDim(1) || type.isDynamicDim(2) ||
      type.isDynamicDim(3) || type.getDimSize(2) == 0 || type.getDimSize(3) == 0 ||
      !isa<FloatType>(type.getElementType()))
    return op->emitOpError("requires ")
           << name << " of type tensor<?x?xHxDxT> with float elements and positive H and D, got " << type;
  return success();
}

LogicalResult linmu::pattern::verifyWindow(const WindowView &view) {
  Operation *op = view.op;
  if (failed(verifyWindowTensor(op, "query", view.query)) ||
      failed(verifyWindowTensor(op, "key", view.key)) || failed(verifyWindowTensor(op, "value", view.value)))
    return failure();
  int64_t features = cast<RankedTensorType>(view.query.getType()).getDimSize(3), heads = view.heads();
  if (features != view.keyFeatures())
    return op->emitOpError("requires key to have the query's ")
           << features << " features, got " << view.keyFeatures();
  if (heads % view.keyHeads() || heads % view.valueHeads())
    return op->emitOpError("requires the head counts of key and value to divide the query's ")
           << heads << ", got " << view.keyHeads() << " and " << view.valueHeads();
  auto media = cast<RankedTensorType>(view.media.getType());
  if (!media.isDynamicDim(0) || media.getDimSize(1) != 4)
    return op->emitOpError("requires media of type tensor<?x4xi32>, got ") << media;
  if (!std::isfinite(view.scale))
    return op->emitOpError("requires a finite scale, got ") << view.scale;
  if (view.window.size() != 3 || view.shift.size() != 3)
    return op->emitOpError("requires window and shift to have three entries (t, h, w), got ")
           << view.window.size() << " and " << view.shift.size();
  int64_t volume = 1;
  for (unsigned axis = 0; axis < 3; ++axis) {
    int64_t size = view.window[axis];
    if (size < 1)
      return op->emitOpError("requires positive window sizes, got ") << size << " on axis " << axis;
    if (size > largestVolume / volume)
      return op->emitOpError("requires a window of at most ")
             << largestVolume << " tokens (t * h * w), got [" << view.window
             << "]; a size beyond the grid's means the grid's";
    volume *= size;
  }
  for (unsigned axis = 0; axis < 3; ++axis)
    if (view.shift[axis] < 0 || view.shift[axis] >= view.window[axis])
      return op->emitOpError("requires 0 <= shift < window on each axis, got ")
             << view.shift[axis] << " with window " << view.window[axis] << " on axis " << axis;
  return success();
}

LogicalResult WindowAttentionOp::verify() {
  WindowView view = WindowView::of(*this);
  if (failed(verifyWindow(view)) || failed(verifyWindowTensor(*this, "result", getResult())))
    return failure();
  auto result = cast<RankedTensorType>(getResult().getType());
  if (result.getDimSize(2) != view.heads() || result.getDimSize(3) != view.valueFeatures())
    return emitOpError("requires a result of ")
           << view.heads() << " heads and " << view.valueFeatures() << " features, got " << result;
  return success();
}

LogicalResult WindowAdjointOp::verify() {
  WindowView view = WindowView::of(*this);
  if (failed(verifyWindow(view)))
    return failure();
  auto expect = [&](StringRef name, Value value, RankedTensorType type) -> LogicalResult {
    if (!isOfFloats(value, type))
      return emitOpError("requires ")
             << name << " to have type " << type << ", or of bf16 or f16, got " << value.getType();
    return success();
  };
  auto inF32 = [&](Value value) {
    return cast<RankedTensorType>(value.getType()).clone(Float32Type::get(getContext()));
  };
  constexpr int64_t any = ShapedType::kDynamic;
  auto result =
      RankedTensorType::get({any, any, view.heads(), view.valueFeatures()}, Float32Type::get(getContext()));
  if (failed(expect("the cotangent", getCotangent(), result)) ||
      failed(expect("the query's gradient", getDQuery(), inF32(getQuery()))) ||
      failed(expect("the key's gradient", getDKey(), inF32(getKey()))))
    return failure();
  return expect("the value's gradient", getDValue(), inF32(getValue()));
}

LogicalResult linmu::pattern::verifyScore(Operation *op, Region &region, StringRef name, unsigned more) {
  Block &block = region.front();
  Builder builder(op->getContext());
  SmallVector<Type> expected(8, builder.getI32Type());
  expected[0] = builder.getF32Type();
  expected.append(more, builder.getF32Type());
  if (block.getArgumentTypes() != TypeRange(expected))
    return op->emitOpError("requires a ") << name << " region with arguments (f32, i32 x 7"
                                          << (more ? ", f32" : "") << "), got " << block.getArgumentTypes();
  if (failed(verifyStepOps(op, block)))
    return failure();
  auto yield = dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError("requires its ") << name << " region to end in 'pattern.yield'";
  if (!yield.getStates().empty() || yield.getOutputs().size() != 1 ||
      !yield.getOutputs()[0].getType().isF32())
    return op->emitOpError("requires the ")
           << name << " region to yield one f32 output, got " << yield->getOperandTypes();
  return success();
}

LogicalResult WindowAttentionOp::verifyRegions() {
  return getScore().empty() ? success() : verifyScore(*this, getScore(), "score", 0);
}

LogicalResult WindowAdjointOp::verifyRegions() {
  if (getScore().empty() != getScoreGradient().empty())
    return emitOpError("requires a score region and a gradient region, or neither");
  if (getScore().empty())
    return success();
  if (failed(verifyScore(*this, getScore(), "score", 0)))
    return failure();
  return verifyScore(*this, getScoreGradient(), "gradient", 1);
}
