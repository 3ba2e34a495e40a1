// Decays of zero: what they forget may be no number, and zero times that is none either.
#pragma once
#include "compiler/tile/tile_builder.h"
#include "dialects/pattern/Pattern.h"

namespace linmu {

/// Whether the decay of a state is zero where a select says so, as at the beginning of a segment; of one
/// decay, by its logarithm.
bool mayReset(pattern::FormOp form);
bool mayReset(mlir::Value logarithm);

/// i1, of the shape of `logarithm`: decays that are zero in f32.
mlir::Value isReset(TileBuilder &builder, mlir::Value logarithm);

/// i1: whether an element of one of the tiles is infinite or no number.
mlir::Value anyNotFinite(TileBuilder &builder, mlir::ValueRange tiles);

} // namespace linmu
