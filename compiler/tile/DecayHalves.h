// Decays of a chunk taken by halves of blocks of 2, 4, 8, ... tokens.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu::tile {

/// Any two tokens are in one block of 2 x `half` tokens, for one power of two `half`, the earlier in its
/// first half and the later in its second. What leads from one to the other goes through the middle of that
/// block: both parts of its decays are running products of a half, at most 1, so that nothing is divided.
class DecayHalves {
public:
  /// Of `decays` [C, D], row t being what token t multiplies by. With `exclusive` a reader meets the decays
  /// before its own token.
  DecayHalves(TileBuilder &builder, mlir::Value decays, bool exclusive);

  int64_t tokens() const { return tokens_; }

  /// From the middle to the reader at each row of a second half, [C, D].
  mlir::Value fromMiddle(int64_t half);
  /// From the token after each row of a first half to the middle, [C, D].
  mlir::Value toMiddle(int64_t half);
  /// i1: whether a row of a tile of this shape is in a second half.
  mlir::Value inSecond(int64_t half, llvm::ArrayRef<int64_t> shape);
  /// i1 [C, C]: whether the tokens of row and column are in different halves of one block, in either order.
  mlir::Value parted(int64_t half);
  /// i1 [C, C]: whether they are in one half.
  mlir::Value together(int64_t half);
  /// `weights` [C, C] of readers by writers where they are parted, else 0.
  mlir::Value across(int64_t half, mlir::Value weights);
  /// Of `weights` [C, C] the diagonal, along the columns of [C, columns].
  mlir::Value own(mlir::Value weights, int64_t columns);

  mlir::Value row() const { return row_; }
  mlir::Value column() const { return column_; }

private:
  mlir::Value constant(mlir::Value like, int64_t value) {
    return builder_.splat(like.getType(), double(value));
  }

  TileBuilder &builder_;
  mlir::Value decays_;
  bool exclusive_;
  int64_t tokens_;
  mlir::Value row_, column_, apart_; ///< [C, C] of i32
};

} // namespace linmu::tile
