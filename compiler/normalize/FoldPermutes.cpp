// fold-permutes: tokens that a loop reads permuted become the loop's order, and two permutes one.
#include "compiler/normalize/Passes.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_FOLDPERMUTES
#include "compiler/normalize/Passes.h.inc"
} // namespace linmu

namespace {

/// permute(permute(x, i), j) is permute(x, permute(i, j)): the index is gathered instead of the rows. Of two
/// inverse ones, the outer index comes first.
struct ComposePermutes : OpRewritePattern<PermuteOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PermuteOp outer, PatternRewriter &rewriter) const override {
    auto inner = outer.getSource().getDefiningOp<PermuteOp>();
    if (!inner || inner.getInverse() != outer.getInverse() || !inner->hasOneUse())
      return failure();
    Value first = inner.getOrder(), second = outer.getOrder();
    if (outer.getInverse())
      std::swap(first, second);
    Value order =
        PermuteOp::create(rewriter, outer.getLoc(), first.getType(), first, second, /*inverse=*/false);
    rewriter.replaceOpWithNewOp<PermuteOp>(outer, outer.getType(), inner.getSource(), order,
                                           outer.getInverse());
    return success();
  }
};

bool isInverseBy(Operation *op, Value order) {
  auto permute = dyn_cast<PermuteOp>(op);
  return permute && permute.getInverse() && permute.getOrder() == order;
}

/// A loop over permuted tokens, y = loop(permute(x, i)), is y = permute(loop order(i) (x), i). Moving
/// permutes behind the loop costs nothing, and what undoes them there cancels.
template <typename LoopOp> struct PermutesToOrder : OpRewritePattern<LoopOp> {
  using OpRewritePattern<LoopOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(LoopOp loop, PatternRewriter &rewriter) const override {
    if (loop.getSegments() || loop.getSourceMask() || loop.getOutputMask())
      return failure();
    Value order;
    llvm::SmallSetVector<Operation *, 4> permutes;
    for (Value token : loop.getTokens()) {
      auto permute = token.getDefiningOp<PermuteOp>();
      if (!permute || permute.getInverse() || (order && permute.getOrder() != order))
        return failure();
      order = permute.getOrder();
      permutes.insert(permute);
    }
    // Each permute that only this loop reads goes, each output that is not permuted back needs one.
    int64_t saved = llvm::count_if(permutes, [&](Operation *permute) {
      return llvm::all_of(permute->getUsers(), [&](Operation *user) { return user == loop; });
    });
    for (Value output : loop.getOutputs())
      saved -= llvm::any_of(output.getUsers(), [&](Operation *user) { return !isInverseBy(user, order); });
    if (saved < 0 || permutes.empty())
      return failure();

    rewriter.setInsertionPoint(loop);
    Value composed = order;
    if (Value own = loop.getOrder())
      composed = PermuteOp::create(rewriter, loop.getLoc(), order.getType(), order, own, /*inverse=*/false);
    rewriter.modifyOpInPlace(loop, [&] {
      for (OpOperand &token : loop.getTokensMutable())
        token.set(token.get().template getDefiningOp<PermuteOp>().getSource());
      loop.getOrderMutable().assign(composed);
    });
    rewriter.setInsertionPointAfter(loop);
    for (Value output : loop.getOutputs()) {
      if (output.use_empty())
        continue;
      auto back =
          PermuteOp::create(rewriter, loop.getLoc(), output.getType(), output, order, /*inverse=*/false);
      rewriter.replaceAllUsesExcept(output, back, back);
    }
    return success();
  }
};

/// A map without lags and tails is the same in every order, whatever the sequences are.
struct DropOrder : OpRewritePattern<MapOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MapOp map, PatternRewriter &rewriter) const override {
    if ((!map.getOrder() && !map.getReverse() && !map.getSequences()) || map.getSegments() ||
        !map.getTails().empty() || !map.getBody().getOps<LagOp>().empty())
      return failure();
    rewriter.modifyOpInPlace(map, [&] {
      map.getOrderMutable().clear();
      map.getSequencesMutable().clear();
      map.setReverse(false);
    });
    return success();
  }
};

struct FoldPermutes : linmu::impl::FoldPermutesBase<FoldPermutes> {
  using FoldPermutesBase::FoldPermutesBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    PermuteOp::getCanonicalizationPatterns(patterns, &getContext());
    patterns.add<ComposePermutes, PermutesToOrder<ScanOp>, PermutesToOrder<MapOp>, DropOrder>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createFoldPermutesPass() { return std::make_unique<FoldPermutes>(); }
