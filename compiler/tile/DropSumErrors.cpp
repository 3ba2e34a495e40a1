// drop-sum-errors: sums of decays without what rounding lost.
#include "compiler/tile/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include <algorithm>
#include <optional>

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_DROPSUMERRORS
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

/// A number that all elements of a value are at least, or none.
static std::optional<double> leastOf(Value value) {
  FloatAttr scalar;
  if (matchPattern(value, m_Constant(&scalar)))
    return scalar.getValueAsDouble();
  DenseElementsAttr tile;
  if (matchPattern(value, m_Constant(&tile)) && tile.isSplat() && isa<FloatType>(tile.getElementType()))
    return tile.getSplatValue<APFloat>().convertToDouble();
  if (auto broadcast = value.getDefiningOp<tile::BroadcastOp>())
    return leastOf(broadcast.getSource());
  if (auto larger = value.getDefiningOp<arith::MaximumFOp>()) {
    std::optional<double> a = leastOf(larger.getLhs()), b = leastOf(larger.getRhs());
    return a && b ? std::max(*a, *b) : a ? a : b;
  }
  if (auto choice = value.getDefiningOp<arith::SelectOp>()) {
    std::optional<double> a = leastOf(choice.getTrueValue()), b = leastOf(choice.getFalseValue());
    return a && b ? std::optional(std::min(*a, *b)) : std::nullopt;
  }
  return {};
}

/// Whether sums that are subtracted from each other keep the digits that a product in bf16 has.
static bool isSmall(tile::CumsumOp sum) {
  constexpr double largest = 1 << 14; // of which f32 rounds 2^-11 away at a time
  std::optional<double> least = leastOf(sum.getSource());
  return least &&
         -*least * double(cast<RankedTensorType>(sum.getSource().getType()).getDimSize(0)) <= largest;
}

namespace {
struct DropSumErrors : tile::impl::DropSumErrorsBase<DropSumErrors> {
  using DropSumErrorsBase::DropSumErrorsBase;

  void runOnOperation() override {
    DenseSet<Value> zeros;
    auto isZero = [&](Value value) { return zeros.contains(value); };
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto sum = dyn_cast<tile::CumsumOp>(op); sum && !sum.getError().use_empty() && isSmall(sum)) {
        zeros.insert(sum.getError());
        ++dropped;
        return;
      }
      if (llvm::none_of(op->getOperands(), isZero))
        return;
      bool whole = isa<tile::BroadcastOp, tile::ExtractOp>(op);
      if (isa<arith::AddFOp, arith::SubFOp>(op)) {
        bool left = isZero(op->getOperand(0)), right = isZero(op->getOperand(1));
        whole = left && right;
        if (!whole && (right || isa<arith::AddFOp>(op))) {
          op->getResult(0).replaceAllUsesWith(op->getOperand(right ? 0 : 1));
          return;
        }
      }
      if (whole) {
        zeros.insert(op->getResult(0));
        return;
      }
      for (OpOperand &operand : op->getOpOperands())
        if (isZero(operand.get())) {
          OpBuilder builder(op);
          operand.set(
              arith::ConstantOp::create(builder, op->getLoc(), builder.getZeroAttr(operand.get().getType())));
        }
    });
  }
};
} // namespace
