// Parts of tiles at static places.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu::tile {

/// Elements [first, first + size) of an axis.
struct Span {
  int64_t first, size;
  int64_t end() const { return first + size; }
};

/// `extent` elements in spans of `size`; the last one may be shorter.
llvm::SmallVector<Span> spansOf(int64_t extent, int64_t size);

/// The number of elements along an axis of a tile.
int64_t extentOf(mlir::Value tile, int64_t axis);

/// Rows of a matrix.
mlir::Value rowsOf(TileBuilder &builder, mlir::Value matrix, Span rows);

/// A block of a matrix; the matrix itself where the block is all of it.
mlir::Value blockOf(TileBuilder &builder, mlir::Value matrix, Span rows, Span columns);

/// `matrix` with `block` at [row, column]; the block itself where it is all of it.
mlir::Value withBlock(TileBuilder &builder, mlir::Value matrix, mlir::Value block, int64_t row,
                      int64_t column);

} // namespace linmu::tile
