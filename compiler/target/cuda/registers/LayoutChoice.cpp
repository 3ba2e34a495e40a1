#include "compiler/target/cuda/registers/LayoutChoice.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

bool linmu::cuda::isElementwise(Operation *op) {
  return isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) && !isa<arith::ConstantOp>(op);
}

LayoutChoice::LayoutChoice(tile::KernelOp kernel, unsigned warps) : layouts_(kernel.getContext(), warps) {
  kernel.getBody().walk([&](tile::DotOp dot) {
    accumulators_.insert(resultLayout(dot, productFormOf(dot, layouts_), layouts_));
  });
}

LayoutAttr LayoutChoice::rows(RankedTensorType type) {
  return type.getRank() == 1 ? layouts_.vector(type.getDimSize(0))
                             : layouts_.rows(type.getShape(), type.getElementType(), type.getDimSize(1));
}

/// Constants, coordinates and what is made of them alone take nothing that counts. What is read from a ring
/// is read again, and a few steps behind it are done again: a warp reads what it needs for its own part.
std::optional<unsigned> LayoutChoice::stepsToRemake(Value tile) {
  if (auto known = remaking_.find(tile); known != remaking_.end())
    return known->second;
  constexpr unsigned most = 6, ofFunction = 4;
  auto find = [&]() -> std::optional<unsigned> {
    Operation *op = tile.getDefiningOp();
    if (!op)
      return {};
    if (isa<arith::ConstantOp, tile::CoordinateOp, tile::BroadcastOp, tensor::ExtractSliceOp,
            tensor::InsertSliceOp>(op))
      return 0;
    if (auto read = dyn_cast<tile::ReadOp>(op); read && read.getBuffer().getDefiningOp<tile::SlotOp>())
      return 1;
    if (!isElementwise(op))
      return {};
    unsigned steps = 0;
    for (Value operand : op->getOperands())
      if (isTile(operand)) {
        std::optional<unsigned> before = stepsToRemake(operand);
        if (!before)
          return {};
        steps += *before;
      }
    if (steps > 0)
      steps += isa<math::MathDialect>(op->getDialect()) || isa<arith::DivFOp>(op) ? ofFunction : 1;
    return steps > most ? std::nullopt : std::optional(steps);
  };
  std::optional<unsigned> steps = find();
  return remaking_[tile] = steps;
}

LayoutAttr LayoutChoice::usual(RankedTensorType type) {
  return type.getRank() == 1 ? layouts_.vector(type.getDimSize(0)) : layouts_.columns(type.getShape());
}

LayoutAttr LayoutChoice::homeOf(Value tile) {
  if (LayoutAttr known = homes_.lookup(tile))
    return known;
  return usual(tileType(tile));
}

LayoutAttr LayoutChoice::preferred(Value tile, unsigned depth) {
  if (LayoutAttr known = homes_.lookup(tile))
    return known;
  RankedTensorType type = tileType(tile);
  Operation *op = tile.getDefiningOp();
  if (!op || depth > 16)
    return {};
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return resultLayout(dot, productFormOf(dot, layouts_), layouts_);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    // What is known of rows goes with the rows, which a thread has few of.
    LayoutAttr source = reduce.getAxis() == 1 ? preferred(reduce.getSource(), depth + 1) : LayoutAttr();
    return source && type.getRank() == 1 ? TileLayouts::slice(source, 0) : LayoutAttr();
  }
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    unsigned number = cast<OpResult>(tile).getResultNumber();
    if (LayoutAttr inside = preferred(loop.getYieldedValues()[number], depth + 1))
      return inside;
    return preferred(loop.getInitArgs()[number], depth + 1);
  }
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return preferred(branch.thenYield().getOperand(cast<OpResult>(tile).getResultNumber()), depth + 1);
  if (!isElementwise(op))
    return {};
  for (Value operand : op->getOperands())
    if (isTile(operand) && tileType(operand).getShape() == type.getShape())
      if (LayoutAttr layout = preferred(operand, depth + 1))
        return layout;
  return {};
}

LayoutAttr LayoutChoice::carried(Value tile) {
  if (!tile.hasOneUse() || tileType(tile).getElementTypeBitWidth() < 32)
    return {};
  OpOperand &use = *tile.use_begin();
  Operation *user = use.getOwner();
  if (auto loop = dyn_cast<scf::ForOp>(user)) {
    unsigned number = use.getOperandNumber() - loop.getNumControlOperands();
    LayoutAttr layout = preferred(loop.getYieldedValues()[number]);
    return layout ? layout : carried(loop.getResult(number));
  }
  if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp()); loop && isa<scf::YieldOp>(user))
    return homes_.lookup(loop.getRegionIterArg(use.getOperandNumber()));
  bool follows = isElementwise(user) && user->getNumResults() == 1 && isTile(user->getResult(0)) &&
                 tileType(user->getResult(0)).getShape() == tileType(tile).getShape();
  return follows ? carried(user->getResult(0)) : LayoutAttr();
}

/// Of what a product takes as it lies in the accumulators of another: that layout, where it is made of
/// something that is asked for in that layout anyway, beside the other's result.
LayoutAttr LayoutChoice::ofFactor(Operation &op) {
  Value operand = op.getResult(0);
  if (operand.hasOneUse() && isa<arith::TruncFOp>(*operand.user_begin()))
    operand = operand.user_begin()->getResult(0);
  auto dot = operand.hasOneUse() ? dyn_cast<tile::DotOp>(*operand.user_begin()) : tile::DotOp();
  if (!dot || operand == dot.getInit())
    return {};
  ProductForm form = productFormOf(dot, layouts_);
  LayoutAttr wanted =
      operand == dot.getLhs() ? lhsLayout(dot, form, layouts_) : rhsLayout(dot, form, layouts_);
  auto isBeside = [&](Value other) {
    auto product = other.getDefiningOp<tile::DotOp>();
    return product && resultLayout(product, productFormOf(product, layouts_), layouts_) == wanted;
  };
  for (Value made : op.getOperands())
    if (isTile(made) && !isFree(made))
      for (Operation *user : made.getUsers())
        if (user != &op && isElementwise(user) && llvm::any_of(user->getOperands(), isBeside))
          return wanted;
  return {};
}

LayoutAttr LayoutChoice::ofElementwise(Operation &op) {
  // An accumulator's layout before others.
  LayoutAttr chosen, first;
  for (Value operand : op.getOperands())
    if (isTile(operand) && !isFree(operand)) {
      first = first ? first : homeOf(operand);
      if (LayoutAttr home = homeOf(operand); isAccumulator(home))
        chosen = chosen ? chosen : home;
    }
  if (!chosen)
    chosen = ofFactor(op);
  return chosen ? chosen : first ? first : rows(tileType(op.getResult(0)));
}
