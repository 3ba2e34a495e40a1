// Scores of pairs of tokens on tiles: the regions of windows, and what softmax takes from scores.
#pragma once
#include "compiler/derive/step_emitter.h"
#include "compiler/derive/window_grid.h"

namespace linmu {

using PairCoordinates = llvm::SmallVector<StepTile, 3>;

/// Of tokens that stand along `axis` of tiles of pairs with this shape.
PairCoordinates coordinatesOf(TileBuilder &builder, const WindowPositions &positions, int64_t axis,
                              llvm::ArrayRef<int64_t> shape);

/// What a region over pairs yields on a tile of scores with coordinates that go with it. `head` is an index;
/// `more` is the tile of an argument behind the head, or null.
mlir::FailureOr<mlir::Value> applyToPairs(TileBuilder &builder, mlir::Block &region, mlir::Value head,
                                          mlir::Value scores, llvm::ArrayRef<StepTile> query,
                                          llvm::ArrayRef<StepTile> key, mlir::Value more = {});

/// What the exponent subtracts: the largest score, or 0 where no key is seen.
mlir::Value offsetOf(TileBuilder &builder, mlir::Value largest);

/// 1 / total, or 0 where no key is seen.
mlir::Value inverseOf(TileBuilder &builder, mlir::Value total);

/// Fails at an op of a region that works on anything but scalars.
mlir::LogicalResult requireScalars(mlir::Region &region);

} // namespace linmu
