// The gradients of the decays of a chunk.
#pragma once
#include "compiler/derive/adjoint_keys.h"

namespace linmu {

/// At each token the sum of all that crosses it, and of nothing else, so that no terms cancel: of a scalar
/// decay, [C].
mlir::Value scalarDecayGradient(TileBuilder &builder, AdjointWrites &writes, AdjointKeys &keys);
/// Of a decay by row the paths along the key axis, [C, K], of one by value those along the value axis,
/// [C, V].
mlir::Value axisDecayGradient(TileBuilder &builder, AdjointWrites &writes, AdjointKeys &keys, bool byValue);

} // namespace linmu
