// Elements of an operand's last axis that may move together.
#pragma once
#include "dialects/tile/Tile.h"

namespace linmu::tile {

/// How many neighbours on the last axis of `memory`, a power of two up to `most`, are touched all or none of
/// them, at places that their number divides. `index` is that axis' index of a load, store or copy; null
/// where the access has all of the axis.
int64_t neighboursOf(mlir::RankedTensorType memory, mlir::Value index, int64_t most);

/// Whether a kernel writes to an operand.
bool isStored(mlir::Value memory);

/// Whether copies can move a matrix of 8 or 16 bits an element: they take 4 bytes at least, of neighbours on
/// the operand's last axis.
bool isOfWholeWords(LoadOp load);

} // namespace linmu::tile
