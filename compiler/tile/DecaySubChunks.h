// Decays of a chunk taken in sub-chunks: factors inside one and over one, all running products.
#pragma once
#include "compiler/tile/Slices.h"

namespace linmu::tile {

/// Of `decays` [C, D], row t being what token t multiplies by. With `exclusive` a reader meets the decays
/// before its own token.
class DecaySubChunks {
public:
  DecaySubChunks(TileBuilder &builder, mlir::Value decays, int64_t size, bool exclusive);

  llvm::ArrayRef<Span> spans() const { return spans_; }

  /// From the start of a sub-chunk to the reader at each of its rows, [S, D].
  mlir::Value fromStart(size_t chunk);
  /// From the token after each row to the end of the sub-chunk, [S, D].
  mlir::Value toEnd(size_t chunk);
  /// Multiplies each of `tiles` [any, D] by all decays of a sub-chunk.
  void decayAcross(size_t chunk, llvm::MutableArrayRef<mlir::Value> tiles);

  /// One token of a sub-chunk, inside the loop over them.
  struct Token {
    mlir::Value index;    ///< its row in the sub-chunk
    mlir::Value i32;      ///< the same
    mlir::Value factors;  ///< [S, D]: decay from this token to the reader at each row that sees it, else 1
    mlir::Value seenFrom; ///< i32, the first row whose reader sees it
  };
  /// A loop over the tokens of a sub-chunk, last first, with one tile carried: `body` gives its next value.
  /// From token to token the factors of all rows grow by one multiplication.
  mlir::Value forEachToken(size_t chunk, mlir::Value init,
                           llvm::function_ref<mlir::Value(const Token &, mlir::Value carried)> body);

  /// i1 tile of a shape with S rows: whether the reader at a row sees the token.
  mlir::Value seen(const Token &token, llvm::ArrayRef<int64_t> shape);

private:
  TileBuilder &builder_;
  bool exclusive_;
  llvm::SmallVector<Span> spans_;
  llvm::SmallVector<mlir::Value> decays_; ///< of each sub-chunk, [S, D]
};

} // namespace linmu::tile
