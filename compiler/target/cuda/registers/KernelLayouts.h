// The tiles of one kernel in their layouts, as assign-layouts rebuilds it.
#pragma once
#include "compiler/target/cuda/registers/LayoutChoice.h"
#include "compiler/target/cuda/registers/LayoutScope.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace linmu::cuda {

class KernelLayouts {
public:
  struct Counts {
    unsigned conversions = 0, buffers = 0;
  };

  KernelLayouts(tile::KernelOp kernel, unsigned warps)
      : kernel_(kernel), choice_(kernel, warps), builder_(kernel.getLoc(), kernel.getContext()) {}

  mlir::LogicalResult run();
  Counts counts;

private:
  // Of values of the kernel as it was.
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emit(mlir::Operation &op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp loop);
  mlir::LogicalResult emitIf(mlir::scf::IfOp branch);
  void emitInOrder(mlir::Operation &op, llvm::ArrayRef<LayoutAttr> operands,
                   llvm::ArrayRef<LayoutAttr> results);

  /// A scalar as it is, a tile in this layout.
  mlir::Value demand(mlir::Value tile, LayoutAttr layout);
  mlir::Value remake(mlir::Value tile, LayoutAttr layout);
  mlir::Value bufferOf(mlir::Value tile);
  void emitInsert(mlir::tensor::InsertSliceOp insert);
  mlir::Value convert(mlir::Value tile, LayoutAttr layout);
  void define(mlir::Value tile, mlir::Value value);

  tile::KernelOp kernel_;
  LayoutChoice choice_;
  mlir::ImplicitLocOpBuilder builder_;
  mlir::IRMapping scalars_;
  LayoutScopes made_;
};

} // namespace linmu::cuda
