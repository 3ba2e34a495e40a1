// Accesses of memory by tiles.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

struct RangeOptions {
  mlir::Value from = {}, to = {}; ///< elements [from, to) are live
  bool backward = false;
  mlir::Value order = {}, batch = {};
};
/// `size` positions from `first` on, as an index of loads and stores.
mlir::Value tileRange(TileBuilder &builder, mlir::Value first, int64_t size, const RangeOptions &options);
/// i1 tile [size]: whether element i comes before `to`, an index.
mlir::Value isBefore(TileBuilder &builder, mlir::Value to, int64_t size);
/// memory[indices] as a tile; indices are as `tile.load` has them.
mlir::Value loadTile(TileBuilder &builder, mlir::Value memory, mlir::ValueRange indices);
void storeTile(TileBuilder &builder, mlir::Value value, mlir::Value memory, mlir::ValueRange indices,
               mlir::Value mask = {});

} // namespace linmu
