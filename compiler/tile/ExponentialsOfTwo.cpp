// exponentials-of-two: exp(x) as 2^(x log2 e), which machines have an instruction for.
#include "compiler/tile/Passes.h"
#include "compiler/tile/tile_builder.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_EXPONENTIALSOFTWO
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

static constexpr double log2e = 1.4426950408889634;

/// A tile or scalar of one number; null for others.
static std::optional<double> numberOf(Value value) {
  FloatAttr scalar;
  if (matchPattern(value, m_Constant(&scalar)))
    return scalar.getValueAsDouble();
  DenseElementsAttr tile;
  if (matchPattern(value, m_Constant(&tile)) && tile.isSplat())
    return tile.getSplatValue<APFloat>().convertToDouble();
  return {};
}

static Value constant(OpBuilder &builder, Location loc, Type type, double number) {
  TypedAttr value = builder.getF32FloatAttr(float(number));
  if (auto tile = dyn_cast<RankedTensorType>(type))
    value = DenseElementsAttr::get(tile, APFloat(float(number)));
  return arith::ConstantOp::create(builder, loc, value);
}

/// x log2 e, with no more operations than x has where x is a product with a number.
static Value scaled(OpBuilder &builder, Value x) {
  Location loc = x.getLoc();
  if (auto broadcast = x.getDefiningOp<tile::BroadcastOp>()) {
    Value source = scaled(builder, broadcast.getSource());
    return tile::BroadcastOp::create(builder, loc, x.getType(), source, broadcast.getAxisAttr());
  }
  double factor = log2e;
  if (auto product = x.getDefiningOp<arith::MulFOp>())
    if (std::optional<double> number = numberOf(product.getRhs())) {
      factor *= *number;
      x = product.getLhs();
    }
  return arith::MulFOp::create(builder, loc, x, constant(builder, loc, x.getType(), factor));
}

/// The exponent of 2. A sum is scaled in parts only where it says that what rounding leaves of them cancels.
static Value exponentOf(OpBuilder &builder, Value x) {
  auto sum = x.getDefiningOp<math::FmaOp>();
  std::optional<double> factor = sum ? numberOf(sum.getB()) : std::nullopt;
  if (!factor || !sum->hasAttr(tile::cancelsAttribute)) {
    Location loc = x.getLoc();
    return arith::MulFOp::create(builder, loc, x, constant(builder, loc, x.getType(), log2e));
  }
  Location loc = sum.getLoc();
  return math::FmaOp::create(builder, loc, sum.getA(), constant(builder, loc, sum.getType(), *factor * log2e),
                             scaled(builder, sum.getC()));
}

namespace {
struct ExponentialsOfTwo : tile::impl::ExponentialsOfTwoBase<ExponentialsOfTwo> {
  using ExponentialsOfTwoBase::ExponentialsOfTwoBase;

  void runOnOperation() override {
    getOperation().walk([&](math::ExpOp exp) {
      if (!getElementTypeOrSelf(exp.getType()).isF32())
        return;
      OpBuilder builder(exp);
      Value exponent = exponentOf(builder, exp.getOperand());
      exp.replaceAllUsesWith(math::Exp2Op::create(builder, exp.getLoc(), exponent).getResult());
      exp.erase();
      ++replaced;
    });
  }
};
} // namespace
