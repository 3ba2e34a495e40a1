// Shapes in verifiers: what they are, and the message where they are not as expected.
#pragma once
#include "dialects/tile/Tile.h"

namespace linmu::tile {

/// The extents of a tile; none for a scalar.
llvm::SmallVector<int64_t> shapeOf(mlir::Value value);

/// "requires NAME of shape [...], got [...]" where the shape of `value` is another.
llvm::LogicalResult expectShape(mlir::Operation *op, llvm::StringRef name, mlir::Value value,
                                llvm::ArrayRef<int64_t> expected);

} // namespace linmu::tile
