// Where a block stands in its sequence: batch, head, and the row of memory behind each position.
#pragma once
#include "compiler/tile/tile_builder.h"
#include "compiler/tile/tile_memory.h"

namespace linmu {

/// One position of a sequence, or `size` consecutive ones.
struct TokenSpan {
  mlir::Value first;     ///< index
  int64_t size = 0;      ///< 0: the position `first` alone
  mlir::Value live = {}; ///< index: so many of `size` are positions of the sequence; the rest comes after it
  /// All of them are, as is every position before them that a lag looks back to; `live` is null.
  bool inside = false;
  bool several() const { return size > 0; }
};

/// Some of the value columns: `size` from `first` on, of which the first `live` are there.
struct ColumnSlice {
  mlir::Value first, live; ///< index
  int64_t size = 0;        ///< 0: all columns
  explicit operator bool() const { return size > 0; }
  /// The columns as an index of loads and stores.
  mlir::Value range(TileBuilder &builder) const { return tileRange(builder, first, size, {.to = live}); }
};

/// A walk over the positions 0, 1, ... of one sequence for one head. Rows are token indices in memory: an
/// `index`, or a range.
struct Walk {
  mlir::Value batch, head; ///< index
  mlir::Value tokens;      ///< of the sequence, index
  int64_t heads = 1;       ///< H of the loop
  bool reverse = false;
  mlir::Value order; ///< [B, N] token index in memory, or null
  /// Of a ragged batch, index: the sequence whose states and tails these are, and the row of memory, or of
  /// the order, in which it begins. Null where each sequence has a batch of its own.
  mlir::Value sequence, begin;

  /// The walk of a sequence: `index` of the batch, or, given the table of a ragged batch, of those in it.
  void enter(TileBuilder &builder, mlir::Value index, mlir::Value table);
  /// The walk as states and tails see it: their batch is the sequence.
  Walk ofStates() const;

  /// The rows behind positions.
  mlir::Value rowsOf(TileBuilder &builder, const TokenSpan &positions) const;
  /// The rows behind the positions `distance` earlier; those before position 0 are dead. A single position
  /// must not be before 0.
  mlir::Value earlierRowsOf(TileBuilder &builder, const TokenSpan &positions, int64_t distance) const;

  /// Where the positions stand in memory [B, N, ...] of the program's own, which is laid out by position.
  mlir::Value ownRowsOf(TileBuilder &builder, const TokenSpan &positions) const;

  /// The head of an operand with `operandHeads` heads that this head reads: h / (H / G).
  mlir::Value headOf(TileBuilder &builder, int64_t operandHeads) const;

  /// The indices of `rows` of this batch and head in [B, N, G, ...] or [B, N]; with `rows` null those of a
  /// state [B, G, ...], or [S, G, ...] of a ragged batch.
  llvm::SmallVector<mlir::Value> indices(TileBuilder &builder, mlir::Value memory, mlir::Value rows) const;

  /// Loads as f32 (or the integer type as it is); of the last axis, those `columns`.
  mlir::Value load(TileBuilder &builder, mlir::Value memory, mlir::Value rows,
                   const ColumnSlice &columns = {}) const;
  /// Loads the slice of a parameter [G, ...].
  mlir::Value loadParam(TileBuilder &builder, mlir::Value memory, const ColumnSlice &columns = {}) const;
  /// Stores an f32 value, rounded to the storage type.
  void store(TileBuilder &builder, mlir::Value value, mlir::Value memory, mlir::Value rows,
             const ColumnSlice &columns = {}) const;

private:
  mlir::Value placeOf(TileBuilder &builder, mlir::Value position) const;
  mlir::Value rangeOf(TileBuilder &builder, mlir::Value first, int64_t size, RangeOptions options) const;
};

} // namespace linmu
