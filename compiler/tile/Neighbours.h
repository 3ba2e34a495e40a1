// Elements of an operand's last axis that may move together.
#pragma once
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace linmu::tile {

/// How many neighbours on the last axis of `memory`, a power of two up to `most`, are touched all or none of
/// them, at places that their number divides. `index` is that axis' index of a load, store or copy; null
/// where the access has all of the axis.
int64_t neighboursOf(mlir::RankedTensorType memory, mlir::Value index, int64_t most);

} // namespace linmu::tile
