// Macro ops written out in plain tile ops, one file an op. Each function inserts at the builder's place and
// returns what replaces the op's results; the op stays. `size` is the number of tokens of a sub-chunk, or of
// rows of a diagonal block; the last one may be shorter.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu::tile {

/// With `halves` by dots between the halves of blocks (DecayHalves), without steps over tokens. With `products`,
/// in a branch: all tokens in one dot where the decays leave enough to divide by; values by halves have none.
mlir::Value expandDecayScores(TileBuilder &builder, DecayScoresOp op, int64_t size, bool products,
                              bool halves);
mlir::Value expandDecayValues(TileBuilder &builder, DecayValuesOp op, int64_t size, bool products,
                              bool halves);

/// Between sub-chunks by dots, inside one by the paths of one writer after the other; with `halves` by dots
/// alone, two for each power of two below the number of tokens.
mlir::Value expandDecayPaths(TileBuilder &builder, DecayPathsOp op, int64_t size, bool halves);

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
