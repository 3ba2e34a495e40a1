// The tiles of one kernel in their layouts, as assign-layouts rebuilds it.
#pragma once
#include "compiler/target/cuda/registers/LayoutScope.h"
#include "compiler/target/cuda/registers/ProductForm.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace linmu::cuda {

inline bool isTile(mlir::Value value) { return mlir::isa<mlir::RankedTensorType>(value.getType()); }
inline mlir::RankedTensorType tileType(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}
/// An arith or math op on elements, not a constant.
bool isElementwise(mlir::Operation *op);

class KernelLayouts {
public:
  struct Counts {
    unsigned conversions = 0, buffers = 0;
  };

  KernelLayouts(tile::KernelOp kernel, unsigned warps)
      : kernel_(kernel), layouts_(kernel.getContext(), warps),
        builder_(kernel.getLoc(), kernel.getContext()) {}

  mlir::LogicalResult run();
  Counts counts;

private:
  // Of values of the kernel as it was; `home` is what a value is first in.
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emit(mlir::Operation &op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp loop);
  mlir::LogicalResult emitIf(mlir::scf::IfOp branch);
  void emitInOrder(mlir::Operation &op, llvm::ArrayRef<LayoutAttr> operands,
                   llvm::ArrayRef<LayoutAttr> results);

  /// Whether a tile is made again wherever it is asked for, whatever the layout.
  bool isFree(mlir::Value tile) { return stepsToRemake(tile).has_value(); }
  std::optional<unsigned> stepsToRemake(mlir::Value tile);
  /// The usual layout where a tile has none of its own.
  LayoutAttr homeOf(mlir::Value tile);
  /// The layout that a tile will have, before what makes it has been emitted.
  LayoutAttr preferred(mlir::Value tile, unsigned depth = 0);
  /// The layout of the first load that a tile is made of, element by element; null where there is none.
  LayoutAttr loadedLayout(mlir::Value tile);
  LayoutAttr usual(mlir::RankedTensorType type);
  LayoutAttr carriedLayout(mlir::Value tile);
  LayoutAttr layoutOfProduct(mlir::Operation &op);

  /// A scalar as it is, a tile in this layout.
  mlir::Value demand(mlir::Value tile, LayoutAttr layout);
  mlir::Value remake(mlir::Value tile, LayoutAttr layout);
  mlir::Value bufferOf(mlir::Value tile);
  void emitInsert(mlir::tensor::InsertSliceOp insert);
  mlir::Value convert(mlir::Value tile, LayoutAttr layout);
  /// The layout in which an op that works in `result` needs an operand.
  LayoutAttr operandLayout(mlir::Operation *op, mlir::Value operand, LayoutAttr result);
  void define(mlir::Value tile, mlir::Value value);

  tile::KernelOp kernel_;
  TileLayouts layouts_;
  mlir::ImplicitLocOpBuilder builder_;
  mlir::IRMapping scalars_;
  LayoutScopes made_;
  llvm::DenseMap<mlir::Value, LayoutAttr> homes_;
  llvm::DenseSet<mlir::Attribute> accumulators_; ///< the layouts of products' results
  /// What it takes to make a tile again: steps of work element by element; none where it is not made again.
  llvm::DenseMap<mlir::Value, std::optional<unsigned>> remaking_;
};

} // namespace linmu::cuda
