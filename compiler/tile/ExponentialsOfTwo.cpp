// exponentials-of-two: exp(x) as 2^(x log2 e), which machines have an instruction for.
#include "compiler/tile/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_EXPONENTIALSOFTWO
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

namespace {
struct ExponentialsOfTwo : tile::impl::ExponentialsOfTwoBase<ExponentialsOfTwo> {
  using ExponentialsOfTwoBase::ExponentialsOfTwoBase;

  void runOnOperation() override {
    getOperation().walk([&](math::ExpOp exp) {
      Type type = exp.getType();
      if (!getElementTypeOrSelf(type).isF32())
        return;
      OpBuilder builder(exp);
      TypedAttr factor = builder.getF32FloatAttr(1.44269504f);
      if (auto tile = dyn_cast<RankedTensorType>(type))
        factor = DenseElementsAttr::get(tile, APFloat(1.44269504f));
      Value scaled = arith::MulFOp::create(builder, exp.getLoc(), exp.getOperand(),
                                           arith::ConstantOp::create(builder, exp.getLoc(), factor));
      exp.replaceAllUsesWith(math::Exp2Op::create(builder, exp.getLoc(), scaled).getResult());
      exp.erase();
      ++replaced;
    });
  }
};
} // namespace
