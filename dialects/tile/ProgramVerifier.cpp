// What holds a program together: symbols, launches against kernels, expressions, the last variant.
#include "dialects/tile/TileShapes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu::tile;

/// What a target evaluates before a launch, on non-negative whole numbers.
static bool isExpression(Operation &op) {
  return isa<arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp,
             arith::CeilDivUIOp, arith::RemUIOp, arith::MinUIOp, arith::MaxUIOp, arith::CmpIOp, arith::AndIOp,
             arith::OrIOp>(op) &&
         (op.getResult(0).getType().isIndex() || op.getResult(0).getType().isInteger(1));
}

LogicalResult ProgramOp::verifyRegions() {
  if (getNumInputs() > getBody().getNumArguments())
    return emitOpError("requires num_inputs to be at most ")
           << getBody().getNumArguments() << ", the number of its operands, got " << getNumInputs();
  VariantOp last;
  for (Operation &op : getBody().front()) {
    if (auto variant = dyn_cast<VariantOp>(op)) {
      if (last && !last.getCondition())
        return variant.emitOpError("can never run: the variant before it has no condition");
      last = variant;
    } else if (!isa<ExtentOp, TemporaryOp, KernelOp>(op) && !isExpression(op)) {
      return op.emitOpError(
          "is no part of a program: requires kernels, variants, temporaries, tile.extent and "
          "arith on unsigned index");
    }
  }
  if (last && last.getCondition())
    return last.emitOpError("requires no condition, as the last variant: one must run for every batch and "
                            "number of tokens");
  return success();
}

LogicalResult TemporaryOp::verify() {
  RankedTensorType type = getResult().getType();
  if (int64_t(getExtents().size()) != type.getNumDynamicDims())
    return emitOpError("requires ") << type.getNumDynamicDims() << " extents for " << type << ", got "
                                    << getExtents().size();
  return success();
}

void LaunchOp::build(OpBuilder &builder, OperationState &state, StringRef kernel, ValueRange grid,
                     ValueRange arguments) {
  build(builder, state, FlatSymbolRefAttr::get(builder.getContext(), kernel), grid, arguments);
}

LogicalResult LaunchOp::verify() {
  if (getGrid().empty() || getGrid().size() > 3)
    return emitOpError("requires a grid of one to three dimensions, got ") << getGrid().size();
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("requires a tile.kernel of the program, got ") << getKernelAttr();
  auto expected = kernel.getBody().getArgumentTypes();
  if (expected.size() != getArguments().size())
    return emitOpError("requires ") << expected.size() << " operands, the arguments of " << getKernelAttr()
                                    << ", got " << getArguments().size();
  for (auto [index, argument] : llvm::enumerate(expected))
    if (Type actual = getArguments()[index].getType(); actual != argument)
      return emitOpError("requires operand #")
             << index << " of " << getKernelAttr() << " to be " << argument << ", got " << actual;
  return success();
}

/// Tensors of a kernel are tiles, but for its arguments; ops are those that targets know.
LogicalResult KernelOp::verifyRegions() {
  for (BlockArgument argument : getBody().getArguments())
    if (!isa<RankedTensorType, IndexType>(argument.getType()))
      return emitOpError("requires argument #")
             << argument.getArgNumber() << " to be an operand in memory or an index, got "
             << argument.getType();
  if (getThreads())
    return success();
  WalkResult walk = getBody().walk([](Operation *op) -> WalkResult {
    if (!isa<arith::ArithDialect, math::MathDialect, scf::SCFDialect, tensor::TensorDialect, TileDialect>(
            op->getDialect()))
      return op->emitOpError("has no place in a tile.kernel");
    for (Type type : op->getResultTypes())
      if (auto tile = dyn_cast<RankedTensorType>(type);
          tile && (!tile.hasStaticShape() || tile.getRank() > 2 || tile.getEncoding()))
        return op->emitOpError("requires tiles of static shape, rank 2 at most and no encoding, got ")
               << tile;
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}
