// What the ops of a kernel ask of the buffers of their operands, and in which layout they write their
// results.
#pragma once
#include "compiler/target/cpu/buffers/Layout.h"
#include "dialects/tile/Tile.h"
#include "mlir/IR/OpDefinition.h"

namespace linmu::cpu {

/// The layout in which a use reads elements anywhere in a matrix; none where it reads the register block at
/// hand only, or the tile has one axis.
std::optional<Layout> layoutReadBy(mlir::OpOperand &use);

/// The layout in which an op writes its results to buffers whatever their uses are; none where they may be
/// recomputed.
std::optional<Layout> layoutWrittenBy(mlir::Operation *op);

/// Elementwise arith and math ops, extensions and truncations included.
bool isElementwise(mlir::Operation *op);

/// Checks that each tile of the kernel has the buffers that its uses read: what `assign-buffers` has written,
/// or a test by hand. Fails with a diagnostic.
mlir::LogicalResult checkBuffers(tile::KernelOp kernel);

} // namespace linmu::cpu
