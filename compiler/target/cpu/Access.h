// What a `tile.load` or `tile.store` touches, in one form.
#pragma once
#include "dialects/tile/Tile.h"

namespace linmu::cpu {

struct Access {
  mlir::Value memory;
  mlir::OperandRange indices;
  mlir::Type tile;

  static Access of(mlir::Operation *loadOrStore);
  /// The axis of memory that is the tile's axis `axis`.
  std::int64_t axisOf(std::int64_t axis) const;
  /// The index of the tile's rows, null where they are a whole axis; of the columns of a matrix.
  mlir::Value rowIndex() const { return indexOf(0); }
  mlir::Value columnIndex() const { return indexOf(1); }
  /// Whether the tile is one element of each of several rows.
  bool isElements() const;
  /// How many rows, and the bytes of each, or of its one element.
  std::int64_t rows() const;
  std::int64_t rowBytes() const;
  /// Fails with a diagnostic at `loadOrStore` where the columns do not lie together in memory; only rows may
  /// be anywhere.
  mlir::LogicalResult check(mlir::Operation *loadOrStore) const;

private:
  mlir::Value indexOf(std::int64_t axis) const;
};

/// On loads and stores whose rows are asked for an iteration ahead (mark-prefetches).
inline constexpr llvm::StringLiteral prefetchMark = "cpu.prefetch";

} // namespace linmu::cpu
