// Sums and products of the rows so far.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

struct CumulativeOptions {
  bool exclusive = false;
  bool reversed = false;
  int64_t every = 0; ///< products of each so many rows by themselves; 0: of all
};
mlir::Value cumulativeProduct(TileBuilder &builder, mlir::Value source, const CumulativeOptions &options);
/// Rounded sums alone.
mlir::Value cumulativeSum(TileBuilder &builder, mlir::Value source, const CumulativeOptions &options);

} // namespace linmu
