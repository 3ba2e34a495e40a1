// Token orders at run time, and permutation by one.
#include "dialects/pattern/Pattern.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace linmu::pattern;

static LogicalResult verifyMedia(Operation *op, Value media) {
  auto type = cast<RankedTensorType>(media.getType());
  if (!type.isDynamicDim(0) || type.getDimSize(1) != 4)
    return op->emitOpError("requires media of type tensor<?x4xi32>, got ") << type;
  return success();
}

static LogicalResult verifyTokens(Operation *op, StringRef name, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  bool fits = type.getRank() >= 3 && type.getRank() <= 5 && type.isDynamicDim(0) && type.isDynamicDim(1);
  for (int64_t axis = 2; axis < type.getRank(); ++axis)
    fits &= !type.isDynamicDim(axis) && type.getDimSize(axis) > 0;
  if (!fits)
    return op->emitOpError("requires ")
           << name << " of type tensor<?x?xHx...> with positive extents, got " << type;
  return success();
}

static LogicalResult verifyIndex(Operation *op, StringRef name, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.isDynamicDim(0) || !type.isDynamicDim(1))
    return op->emitOpError("requires ") << name << " of type tensor<?x?xi32>, got " << type;
  return success();
}

LogicalResult TokenOrderOp::verify() {
  if (failed(verifyMedia(*this, getMedia())) || failed(verifyTokens(*this, "like", getLike())))
    return failure();
  return verifyIndex(*this, "result", getResult());
}

LogicalResult PermuteOp::verify() {
  auto type = cast<RankedTensorType>(getSource().getType());
  bool oneForAllHeads = type.getRank() == 2 && type.isDynamicDim(0) && type.isDynamicDim(1);
  if (!oneForAllHeads && failed(verifyTokens(*this, "source", getSource())))
    return failure();
  return verifyIndex(*this, "order", getOrder());
}

namespace {
/// permute(permute(x, i), i) with one of them inverse is x.
struct CancelInverse : OpRewritePattern<PermuteOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PermuteOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSource().getDefiningOp<PermuteOp>();
    if (!inner || inner.getOrder() != op.getOrder() || inner.getInverse() == op.getInverse())
      return failure();
    // Results have memory of their own: what is returned is no argument, and no other result.
    auto isReturned = [](Value value) {
      return llvm::any_of(value.getUsers(),
                          [](Operation *user) { return user->hasTrait<OpTrait::IsTerminator>(); });
    };
    Value source = inner.getSource();
    if (isReturned(op.getResult()) && (isa<BlockArgument>(source) || isReturned(source) ||
                                       llvm::count_if(op->getUsers(), [](Operation *user) {
                                         return user->hasTrait<OpTrait::IsTerminator>();
                                       }) > 1))
      return failure();
    rewriter.replaceOp(op, inner.getSource());
    return success();
  }
};
} // namespace

void PermuteOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<CancelInverse>(context);
}
