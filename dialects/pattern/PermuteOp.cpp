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

LogicalResult TokenOrderOp::verify() { return verifyMedia(*this, getMedia()); }

LogicalResult PermuteOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType());
  if (source.getRank() < 3 || !source.isDynamicDim(0) || !source.isDynamicDim(1))
    return emitOpError("requires source of type tensor<?x?xHx...>, got ") << source;
  return success();
}

namespace {
/// permute(permute(x, i), i) with one of them inverse is x.
struct CancelInverse : OpRewritePattern<PermuteOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PermuteOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSource().getDefiningOp<PermuteOp>();
    if (!inner || inner.getOrder() != op.getOrder() || inner.getInverse() == op.getInverse())
      return failure();
    rewriter.replaceOp(op, inner.getSource());
    return success();
  }
};
} // namespace

void PermuteOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<CancelInverse>(context);
}
