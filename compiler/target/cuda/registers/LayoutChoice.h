// Which layout the tiles of one kernel get.
#pragma once
#include "compiler/target/cuda/registers/ProductForm.h"
#include "dialects/tile/Tile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace linmu::cuda {

inline bool isTile(mlir::Value value) { return mlir::isa<mlir::RankedTensorType>(value.getType()); }
inline mlir::RankedTensorType tileType(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}
/// An arith or math op on elements, not a constant.
bool isElementwise(mlir::Operation *op);

/// Of values of the kernel as it was; the home of a tile is the layout that it is first in.
class LayoutChoice {
public:
  /// Requires tiles of powers of two, those of products of at least 16 rows and columns.
  LayoutChoice(tile::KernelOp kernel, unsigned warps);

  TileLayouts &layouts() { return layouts_; }
  /// As memory is read and written, and as sums along rows are taken.
  LayoutAttr rows(mlir::RankedTensorType type);
  LayoutAttr usual(mlir::RankedTensorType type);
  bool isAccumulator(LayoutAttr layout) const { return accumulators_.contains(layout); }

  /// Whether a tile is made again wherever it is asked for, whatever the layout.
  bool isFree(mlir::Value tile) { return stepsToRemake(tile).has_value(); }
  void setHome(mlir::Value tile, LayoutAttr layout) { homes_[tile] = layout; }
  /// The usual layout where a tile has none of its own.
  LayoutAttr homeOf(mlir::Value tile);
  /// The layout that a tile will have, before what makes it has been emitted.
  LayoutAttr preferred(mlir::Value tile, unsigned depth = 0);
  /// Of what only goes into what a loop carries, to begin with or from step to step: the layout that it
  /// carries, so that a state comes from memory to its accumulators without a buffer of its size.
  LayoutAttr carried(mlir::Value tile);
  /// Of the result of work element by element.
  LayoutAttr ofElementwise(mlir::Operation &op);

private:
  std::optional<unsigned> stepsToRemake(mlir::Value tile);
  LayoutAttr ofFactor(mlir::Operation &op);

  TileLayouts layouts_;
  llvm::DenseMap<mlir::Value, LayoutAttr> homes_;
  llvm::DenseSet<mlir::Attribute> accumulators_; ///< the layouts of products' results
  /// What it takes to make a tile again: steps of work element by element; none where it is not made again.
  llvm::DenseMap<mlir::Value, std::optional<unsigned>> remaking_;
};

} // namespace linmu::cuda
