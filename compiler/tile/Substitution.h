// Forward substitution inside one block of rows.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu::tile {

/// Solutions of w_i = v_i + sum_j lower(A_ij) w_j: m * m systems of [S, S], m values of [S, V]. A loop over
/// the rows adds each solved row to all later ones. With `lower`, values and solutions are lower triangles
/// and nothing is added above their diagonals.
llvm::SmallVector<mlir::Value> substitute(TileBuilder &builder, llvm::ArrayRef<mlir::Value> systems,
                                          llvm::ArrayRef<mlir::Value> values, bool lower);

} // namespace linmu::tile
