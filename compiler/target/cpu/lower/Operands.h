// Loads and stores of operands in memory.
#pragma once
#include "compiler/target/cpu/lower/Kernel.h"

namespace linmu::cpu {

struct Lowering;

mlir::LogicalResult lowerLoad(Lowering &lowering, tile::LoadOp op);
mlir::LogicalResult lowerStore(Lowering &lowering, tile::StoreOp op);

/// A block of a rank-2 load.
Vectors loadBlock(Lowering &lowering, tile::LoadOp op, const RegisterBlock &at);
/// Columns [column, column + width) of a rank-1 load of elements that lie together.
mlir::Value loadVector(Lowering &lowering, tile::LoadOp op, mlir::Value column);
/// A rank-1 load of one element of each row, into a buffer: at once where all are live, else one by one.
void gatherElements(Lowering &lowering, tile::LoadOp op, const Buffer &buffer);

} // namespace linmu::cpu
