// The canonical order of a step: texts that differ only in the order of their ops, in repeated ones or in
// ones that nothing uses are one pattern, with one key and one kernel.
#include "compiler/frontend/Frontend.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"

using namespace mlir;
using namespace linmu;

namespace {
/// Puts each op directly behind the last of its operands, as a walk from the step's end meets them first.
class StepOrder {
public:
  explicit StepOrder(Block &step) : step_(step) {}

  void apply() {
    Operation *end = step_.getTerminator();
    placeOperandsOf(end);
    // What is not placed is used by nothing but what is not placed either and stands behind it.
    llvm::SmallVector<Operation *> unused;
    for (Operation &op : step_.without_terminator())
      if (!placed_.contains(&op))
        unused.push_back(&op);
    for (Operation *op : llvm::reverse(unused))
      op->erase();
  }

private:
  /// Before the end, operands first. A stack of its own: steps may be long chains.
  void placeOperandsOf(Operation *end) {
    llvm::SmallVector<std::pair<Operation *, unsigned>> stack{{end, 0}};
    while (!stack.empty()) {
      auto &[op, next] = stack.back();
      if (next < op->getNumOperands()) {
        Operation *before = op->getOperand(next++).getDefiningOp();
        if (before && before->getBlock() == &step_ && placed_.insert(before).second)
          stack.push_back({before, 0});
        continue;
      }
      if (op != end)
        op->moveBefore(end);
      stack.pop_back();
    }
  }

  Block &step_;
  llvm::SmallPtrSet<Operation *, 32> placed_;
};
} // namespace

void frontend::orderSteps(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  DominanceInfo dominance;
  for (Operation &op : function.getBody().front())
    for (Region &step : op.getRegions()) {
      if (step.empty())
        continue;
      eliminateCommonSubExpressions(rewriter, dominance, &op);
      StepOrder(step.front()).apply();
    }
}
