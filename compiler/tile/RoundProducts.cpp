// round-products: operands of products in bf16 or f16.
#include "compiler/tile/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_ROUNDPRODUCTS
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

namespace {
struct RoundProducts : tile::impl::RoundProductsBase<RoundProducts> {
  using RoundProductsBase::RoundProductsBase;

  void runOnOperation() override {
    Builder types(&getContext());
    Type element = type == "bf16" ? Type(types.getBF16Type()) : Type(types.getF16Type());
    if (type != "bf16" && type != "f16") {
      emitError(getOperation()->getLoc())
          << "round-products requires type=bf16 or type=f16, got '" << type << "'";
      return signalPassFailure();
    }
    getOperation()->walk([&](tile::DotOp dot) {
      if (!dot.getLhs().getType().getElementType().isF32())
        return;
      for (OpOperand *operand : {&dot.getLhsMutable(), &dot.getRhsMutable()})
        operand->set(round(operand->get(), element, dot));
    });
  }

private:
  Value round(Value operand, Type element, Operation *before) {
    auto extension = operand.getDefiningOp<arith::ExtFOp>();
    if (extension && getElementTypeOrSelf(extension.getIn()) == element) {
      ++exact;
      return extension.getIn();
    }
    // The whole of what a part is taken of, once for all parts.
    if (auto slice = operand.getDefiningOp<tensor::ExtractSliceOp>()) {
      auto type = cast<RankedTensorType>(operand.getType());
      Value whole = round(slice.getSource(), element, slice);
      OpBuilder builder(slice);
      Operation *part = builder.clone(*slice);
      part->setOperand(0, whole);
      part->getResult(0).setType(RankedTensorType::get(type.getShape(), element));
      return part->getResult(0);
    }
    ++rounded;
    OpBuilder builder(before);
    auto wide = cast<RankedTensorType>(operand.getType());
    return arith::TruncFOp::create(builder, before->getLoc(),
                                   RankedTensorType::get(wide.getShape(), element, wide.getEncoding()),
                                   operand);
  }
};
} // namespace
