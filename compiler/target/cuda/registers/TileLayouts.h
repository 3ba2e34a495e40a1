// The layouts that tiles take in the registers of a block: by what makes or uses them.
#pragma once
#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/target/cuda/layout/Fragments.h"

namespace linmu::cuda {

/// Layouts of the tiles of one kernel, whose blocks have 2^warps warps. Tiles are [2^r] or [2^r, 2^c].
class TileLayouts {
public:
  TileLayouts(mlir::MLIRContext *context, unsigned warps) : context_(context), warps_(warps) {}

  /// Which form of mma.sync multiplies elements of this type.
  static MatrixInstruction instructionFor(mlir::Type element);

  /// Of the result [M, N] of a product, and of its operands [M, K] and [K, N]; `transposed` ones are stored
  /// as [K, M] and [N, K].
  LayoutAttr accumulator(llvm::ArrayRef<int64_t> shape, const WarpGrid &warps);
  LayoutAttr lhs(llvm::ArrayRef<int64_t> stored, bool transposed, mlir::Type element, const WarpGrid &warps);
  LayoutAttr rhs(llvm::ArrayRef<int64_t> stored, bool transposed, mlir::Type element, const WarpGrid &warps);
  /// As many warps along a result's rows as it has fragments there, the others along columns.
  WarpGrid rowsFirst(int64_t rows) const;
  unsigned warps() const { return warps_; }

  /// Rows by vectors of at most 16 bytes, as memory is read and written; of `leastElements` also where that
  /// leaves threads without any.
  LayoutAttr rows(llvm::ArrayRef<int64_t> shape, mlir::Type element, int64_t mostElements,
                  int64_t leastElements = 1);
  /// A vector that each warp holds whole.
  LayoutAttr vector(int64_t size);
  /// A thread has consecutive rows of its columns: all, or where there are more lanes than columns, one of
  /// the equal parts that neighbouring groups of lanes have. Registers count columns first.
  LayoutAttr columns(llvm::ArrayRef<int64_t> shape);
  /// Of such a layout, the bits of a lane's number that tell columns, and behind them those that tell parts
  /// of the rows.
  static unsigned columnLanesOf(LayoutAttr columns);
  static unsigned rowLanesOf(LayoutAttr columns);

  /// Of square blocks one below the other: a block to a warp, and all rows of one of its columns to a lane.
  LayoutAttr blockColumns(llvm::ArrayRef<int64_t> shape);

  /// What a thread needs of a vector along `axis` to go with a matrix of this layout.
  static LayoutAttr slice(LayoutAttr matrix, unsigned axis);
  /// Of the transpose.
  static LayoutAttr transpose(LayoutAttr matrix);

private:
  LayoutAttr attr(LinearLayout layout) const { return LayoutAttr::get(context_, std::move(layout)); }

  mlir::MLIRContext *context_;
  unsigned warps_;
};

/// The layout in a tile's type; null for scalars and for types without one.
LayoutAttr layoutOf(mlir::Type type);
mlir::RankedTensorType withLayout(mlir::Type tile, LayoutAttr layout);
/// Elements of a tile that a thread holds.
int64_t registersOf(LayoutAttr layout);

} // namespace linmu::cuda
