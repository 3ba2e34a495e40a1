// simplify-tiles: what the CPU has no form of its own for, in terms of what it has.
//
// Products are f32: operands of bf16 and f16 are extended, which changes no value. Copies to buffers are done
// where they start: a core's stores wait for nothing, so waits and barriers of one thread fall away.
#include "compiler/target/cpu/KernelLowering.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

static void extend(OpBuilder &builder, OpOperand &operand) {
  auto type = cast<RankedTensorType>(operand.get().getType());
  if (type.getElementType().isF32())
    return;
  auto f32 = RankedTensorType::get(type.getShape(), builder.getF32Type());
  operand.set(arith::ExtFOp::create(builder, operand.getOwner()->getLoc(), f32, operand.get()));
}

void linmu::cpu::simplifyTiles(tile::KernelOp kernel) {
  kernel.walk([](Operation *op) {
    OpBuilder builder(op);
    if (auto dot = dyn_cast<tile::DotOp>(op)) {
      extend(builder, dot.getLhsMutable());
      extend(builder, dot.getRhsMutable());
    } else if (auto copy = dyn_cast<tile::CopyOp>(op)) {
      Value loaded = tile::LoadOp::create(builder, copy.getLoc(), copy.getBuffer().getType().getTileType(),
                                          copy.getSource(), copy.getIndices());
      tile::WriteOp::create(builder, copy.getLoc(), loaded, copy.getBuffer());
      copy.erase();
    } else if (isa<tile::WaitOp, tile::BarrierOp>(op)) {
      op->erase();
    }
  });
}
