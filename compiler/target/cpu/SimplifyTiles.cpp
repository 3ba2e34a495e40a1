// simplify-tiles: what the CPU has no form of its own for, in terms of what it has.
#include "compiler/target/cpu/Passes.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace linmu::cpu {
#define GEN_PASS_DEF_SIMPLIFYTILES
#include "compiler/target/cpu/Passes.h.inc"
} // namespace linmu::cpu

/// Whether the operand was not f32 before.
static bool extend(OpBuilder &builder, OpOperand &operand) {
  auto type = cast<RankedTensorType>(operand.get().getType());
  if (type.getElementType().isF32())
    return false;
  auto f32 = RankedTensorType::get(type.getShape(), builder.getF32Type());
  operand.set(arith::ExtFOp::create(builder, operand.getOwner()->getLoc(), f32, operand.get()));
  return true;
}

static void loadAndWrite(OpBuilder &builder, tile::CopyOp copy) {
  Location loc = copy.getLoc();
  RankedTensorType tile = copy.getBuffer().getType().getTileType();
  auto load = [&](OpBuilder &at, Location) -> Value {
    return tile::LoadOp::create(at, loc, tile, copy.getSource(), copy.getIndices());
  };
  Value loaded;
  if (Value condition = copy.getCondition()) {
    auto branch = scf::IfOp::create(
        builder, loc, condition,
        [&](OpBuilder &at, Location) { scf::YieldOp::create(at, loc, load(at, loc)); },
        [&](OpBuilder &at, Location) {
          scf::YieldOp::create(
              at, loc, Value(arith::ConstantOp::create(at, loc, cast<TypedAttr>(at.getZeroAttr(tile)))));
        });
    loaded = branch.getResult(0);
  } else {
    loaded = load(builder, loc);
  }
  tile::WriteOp::create(builder, loc, loaded, copy.getBuffer());
  copy.erase();
}

namespace {
struct SimplifyTiles : linmu::cpu::impl::SimplifyTilesBase<SimplifyTiles> {
  using SimplifyTilesBase::SimplifyTilesBase;

  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      OpBuilder builder(op);
      if (auto dot = dyn_cast<tile::DotOp>(op)) {
        extended += extend(builder, dot.getLhsMutable());
        extended += extend(builder, dot.getRhsMutable());
      } else if (auto copy = dyn_cast<tile::CopyOp>(op)) {
        loadAndWrite(builder, copy);
        ++copies;
      } else if (isa<tile::WaitOp, tile::BarrierOp>(op)) {
        op->erase();
      }
    });
  }
};
} // namespace
