// Macro ops written out in plain tile ops, one file an op. Each function inserts at the builder's place and
// returns what replaces the op's results; the op stays. `size` is the number of tokens of a sub-chunk, or of
// rows of a diagonal block; the last one may be shorter.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu::tile {

/// With `products`, in a branch: all tokens in one dot where the decays leave enough to divide by. With
/// `halves` by dots between the halves of blocks (DecayHalves), without steps over tokens; scores only where
/// they have no products.
mlir::Value expandDecayScores(TileBuilder &builder, DecayScoresOp op, int64_t size, bool products,
                              bool halves);
mlir::Value expandDecayValues(TileBuilder &builder, DecayValuesOp op, int64_t size, bool products,
                              bool halves);

/// Between sub-chunks by dots, inside one by the paths of one writer after the other.
mlir::Value expandDecayPaths(TileBuilder &builder, DecayPathsOp op, int64_t size);

/// Paths, and beside them the values that their writers give to their readers and the other way round, null
/// where the block has none of the same weights and decays.
struct DecayGradients {
  DecayPathsOp paths;
  DecayValuesOp to_readers, to_writers;

  static DecayGradients of(DecayPathsOp paths);
  /// The place for all of them: the first one, where all that they need is there.
  mlir::Operation *first() const;
};
/// By dots between the halves of blocks, two for each power of two below the number of tokens. The ops go.
void expandByHalves(TileBuilder &builder, DecayGradients group);

/// Forward substitution by blocks of rows: dots with the blocks solved before, then row by row inside, or
/// with `byInverses` a dot with the block's inverse where there is one system that `size` divides.
llvm::SmallVector<mlir::Value> expandSolve(TileBuilder &builder, SolveOp op, int64_t size, bool byInverses);

/// A `tile.inverse` of the systems, and its products with the values.
llvm::SmallVector<mlir::Value> solveByInverse(TileBuilder &builder, SolveOp op);

/// Diagonal blocks by forward substitution, or with `byInverses` by an op for all of them where there is one
/// system that `size` divides; then two neighbours at a time into one twice as large, by dots.
llvm::SmallVector<mlir::Value> expandInverse(TileBuilder &builder, InverseOp op, int64_t size,
                                             bool byInverses);

} // namespace linmu::tile
