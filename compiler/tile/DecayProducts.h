// Decays of a sub-chunk as factors of one product, where they leave enough to divide by.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu::tile {

/// Of `decays` [S, D]: exp(G[t] - G[s]) is what is left from the start to the reader, times what is left from
/// the writer to the end, over what is left of all. The first two are at most 1; the last is a divisor, and
/// is one only while it is far from the smallest numbers.
class DecayProducts {
public:
  DecayProducts(TileBuilder &builder, mlir::Value decays, bool exclusive);

  /// A branch: `products` where every column's decays leave more than 2^-64, else `exactly`; not where one is
  /// not a number. Both give tiles of this type.
  mlir::Value whereAllowed(mlir::Type type, llvm::function_ref<mlir::Value()> products,
                           llvm::function_ref<mlir::Value()> exactly);
  /// Rows [S, D] of readers, times what is left from the start.
  mlir::Value read(mlir::Value rows);
  /// Rows [S, D] of writers, over what is left from the start.
  mlir::Value written(mlir::Value rows);
  /// The lower triangle of products between all readers and writers, [S, S]; zero elsewhere.
  mlir::Value visible(mlir::Value scores);

private:
  mlir::Value allow();

  TileBuilder &builder_;
  mlir::Value decays_, all_; ///< [S, D] and [D]
  bool exclusive_;
};

} // namespace linmu::tile
