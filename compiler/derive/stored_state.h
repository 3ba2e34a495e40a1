// States as they are stored, and as the K x V tiles of the chunk algebra.
#pragma once
#include "compiler/derive/walk.h"
#include "dialects/pattern/Pattern.h"

namespace linmu {

/// One state of a normal_scan: how it is stored and what it is in the algebra. K or V is 1 where the axis is
/// absent.
struct StoredState {
  StoredState(pattern::NormalScanOp scan, unsigned state);
  /// `slice` is the state's type of one batch and head.
  StoredState(mlir::Type slice, int64_t keyAxis);

  /// The K x V tile of a state in memory [B, H, ...], or of one that starts at zero where `memory` is null;
  /// of the value columns those of the slice, if the state has any.
  mlir::Value load(TileBuilder &builder, const Walk &walk, mlir::Value memory,
                   const ColumnSlice &columns) const;
  void store(TileBuilder &builder, const Walk &walk, mlir::Value matrix, mlir::Value memory,
             const ColumnSlice &columns) const;
  bool hasColumns() const { return value_size > 1; }

  mlir::Type slice; ///< of one batch and head
  int64_t key_axis; ///< -1 without keys
  int64_t key_size = 1, value_size = 1;

  /// A stored state, or a slice of one, as its K x V tile, and back.
  mlir::Value toMatrix(TileBuilder &builder, mlir::Value stored) const;
  mlir::Value fromMatrix(TileBuilder &builder, mlir::Value matrix) const;

private:
  llvm::SmallVector<mlir::Value> indices(TileBuilder &builder, const Walk &walk, mlir::Value memory,
                                         const ColumnSlice &columns) const;
};

} // namespace linmu
