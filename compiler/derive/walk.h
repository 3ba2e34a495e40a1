// Where a block stands in its sequence: batch, head, and the row of memory behind each position.
#pragma once
#include "compiler/derive/tile_builder.h"

namespace linmu {

/// A walk over the positions 0, 1, ... of one sequence for one head. Positions are `index` scalars or rank-1
/// tiles of i32; rows are token indices, of the same form.
struct Walk {
  mlir::Value batch, head; ///< index
  mlir::Value tokens;      ///< N, index
  int64_t heads = 1;       ///< H of the loop
  bool reverse = false;
  mlir::Value order; ///< [B, N] token index in memory, or null

  /// The token at each position; positions must lie in [0, N).
  mlir::Value rowsOf(TileBuilder &builder, mlir::Value positions) const;

  /// The head of an operand with `operandHeads` heads that this head reads: h / (H / G).
  mlir::Value headOf(TileBuilder &builder, int64_t operandHeads) const;

  /// The indices of `rows` of this batch and head in [B, N, G, ...] or [B, N]; with `rows` null those of a
  /// state [B, G, ...].
  llvm::SmallVector<mlir::Value> indices(TileBuilder &builder, mlir::Value memory, mlir::Value rows) const;

  /// Loads as f32 (or the integer type as it is).
  mlir::Value load(TileBuilder &builder, mlir::Value memory, mlir::Value rows) const;
  /// Loads the slice of a parameter [G, ...].
  mlir::Value loadParam(TileBuilder &builder, mlir::Value memory) const;
  /// Stores an f32 value, rounded to the storage type; `live` masks rows.
  void store(TileBuilder &builder, mlir::Value value, mlir::Value memory, mlir::Value rows,
             mlir::Value live = {}) const;
};

} // namespace linmu
