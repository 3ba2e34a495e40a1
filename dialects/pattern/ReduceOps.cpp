// Verifiers of reduce and inner_product.
#include "dialects/pattern/Pattern.h"

using namespace mlir;
using namespace linmu::pattern;

Kind linmu::pattern::kindOf(RankedTensorType type) {
  if (type.getRank() == 0 || !type.isDynamicDim(0))
    return Kind::param;
  return type.getRank() > 1 && type.isDynamicDim(1) ? Kind::tokens : Kind::states;
}

/// Axes before the heads.
static int64_t leadingOf(Kind kind) { return kind == Kind::param ? 0 : kind == Kind::states ? 1 : 2; }

static StringRef nameOf(Kind kind) {
  return kind == Kind::param ? "a param" : kind == Kind::states ? "a state" : "a token tensor";
}

LogicalResult ReduceOp::verify() {
  auto result = cast<RankedTensorType>(getType());
  if (getSources().empty())
    return emitOpError("requires a source");
  Kind to = kindOf(result);
  for (auto [index, value] : llvm::enumerate(getSources())) {
    auto source = cast<RankedTensorType>(value.getType());
    Kind from = kindOf(source);
    if (!isa<FloatType>(source.getElementType()) || !isa<FloatType>(result.getElementType()))
      return emitOpError("requires float elements, got ") << source << " to " << result;
    if (from == Kind::param || (from != to && !(from == Kind::states && to == Kind::param)))
      return emitOpError("requires source #")
             << index << " to be " << (to == Kind::tokens ? "a token tensor" : "a state")
             << " where the result is " << nameOf(to) << ", got " << source << " to " << result;
    int64_t leading = leadingOf(from), kept = leadingOf(to);
    if (to == Kind::tokens && result.getRank() == 2) {
      if (source.getRank() > 3)
        return emitOpError("requires source #")
               << index << " to have no features where the result has no heads, got " << source << " to "
               << result;
      continue;
    }
    if (source.getRank() <= leading || result.getRank() <= kept ||
        source.getShape().drop_front(leading + 1) != result.getShape().drop_front(kept + 1))
      return emitOpError("requires source #")
             << index << " to have the features of the result, got " << source << " to " << result;
    if (source.getDimSize(leading) % result.getDimSize(kept))
      return emitOpError("requires the result to have a head count that divides ")
             << source.getDimSize(leading) << " heads of source #" << index << ", got "
             << result.getDimSize(kept);
  }
  return success();
}

LogicalResult InnerProductOp::verify() {
  auto source = cast<RankedTensorType>(getLhs().getType()), result = cast<RankedTensorType>(getType());
  if (kindOf(source) != Kind::states || source.getRank() < 2)
    return emitOpError("requires operands to be states, as in tensor<?xHxKxVxf32>, got ") << source;
  SmallVector<int64_t> expected(source.getShape().take_front(2));
  for (auto [axis, extent] : llvm::enumerate(source.getShape().drop_front(2)))
    if (!llvm::is_contained(getAxes(), int64_t(axis)))
      expected.push_back(extent);
  if (int64_t(expected.size() + getAxes().size()) != source.getRank())
    return emitOpError("requires different axes in [0, ")
           << source.getRank() - 2 << "), got [" << getAxes() << "]";
  auto type = RankedTensorType::get(expected, Float32Type::get(getContext()));
  if (!source.getElementType().isF32() || result != type)
    return emitOpError("requires f32 states and a result of type ")
           << type << ", got " << source << " to " << result;
  return success();
}
