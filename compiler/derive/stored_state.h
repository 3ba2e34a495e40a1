// States as they are stored, and as the K x V tiles of the chunk algebra.
#pragma once
#include "compiler/derive/tile_builder.h"
#include "dialects/pattern/Pattern.h"

namespace linmu {

/// One state of a normal_scan: how it is stored and what it is in the algebra. K or V is 1 where the axis is
/// absent.
struct StoredState {
  StoredState(pattern::NormalScanOp scan, unsigned state);

  /// A stored state as its K x V tile, and back.
  mlir::Value toMatrix(TileBuilder &builder, mlir::Value stored) const;
  mlir::Value fromMatrix(TileBuilder &builder, mlir::Value matrix) const;

  mlir::Type slice; ///< of one batch and head
  int64_t key_axis; ///< -1 without keys
  int64_t key_size = 1, value_size = 1;
};

} // namespace linmu
