// A walk over the tokens of a chunk with all that crosses each of them under a decay by row or column.
//
// Paths lead from a write s, or from the chunk's entry, to a read u that sees it, or to the chunk's exit;
// element by element of the decaying axis they are worth
//   write to read   sources_i[s] weights_ji[u, s] targets_j[u] (product of decays[x] for s < x <= u, or < u)
//   entry to read   entering_j[u] targets_j[u] ...      write to exit   sources_i[s] leaving_i[s] ...
//   entry to exit   through ...
// A path crosses t where its product has decays[t] in it. Nothing is ever subtracted, so that what crosses a
// small decay is as exact as that decay.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

struct CrossingWalk {
  llvm::SmallVector<mlir::Value> targets; ///< a read, C x X
  llvm::SmallVector<bool> inclusive;      ///< of each read
  llvm::SmallVector<mlir::Value> sources; ///< a write, C x X
  /// Read by read for each write: C x C, zero where the read does not see the write.
  llvm::SmallVector<mlir::Value> weights;
  llvm::SmallVector<mlir::Value> entering; ///< a read, C x X
  llvm::SmallVector<mlir::Value> leaving;  ///< a write, C x X
  mlir::Value through;                     ///< X
  mlir::Value decays;                      ///< C x X

  /// At one token: the sum of all paths that cross it, and of each write there the sum over the reads that it
  /// reaches, without sources_i and without the exit; null without reads. X each.
  struct Crossings {
    mlir::Value crossing;
    llvm::SmallVector<mlir::Value> reaching;
  };
  /// Calls `at` in a loop over the first `live` tokens, with the token's number.
  void run(TileBuilder &builder, mlir::Value live,
           llvm::function_ref<void(mlir::Value token, const Crossings &crossings)> at) const;
};

} // namespace linmu
