// Values of tiles: the vectors of a register block, a vector of a rank-1 tile, and single elements. What has
// no buffer is computed here.
#pragma once
#include "compiler/target/cpu/lower/Kernel.h"

namespace linmu::cpu {

struct Lowering;

/// One element of a rank-1 tile.
mlir::Value elementOf(Kernel &kernel, mlir::Value tile, mlir::Value at);
/// Elements [column, column + width) of a rank-1 tile.
mlir::Value vectorOf(Lowering &lowering, mlir::Value tile, mlir::Value column);

/// The vectors of tiles at one register block. What several of them use is computed once, so that all of it
/// must be asked for where the insertion point is the same, or inside.
class BlockValues {
public:
  using Value = mlir::Value;

  BlockValues(Lowering &lowering, const RegisterBlock &at);
  Vectors of(Value tile);

private:
  Vectors compute(Value tile);
  Vectors fromBuffer(const Buffer &buffer, mlir::Type element);
  Vectors coordinates(std::int64_t axis);
  Vectors broadcast(tile::BroadcastOp op);
  Vectors elementwise(mlir::Operation *op);
  /// Vectors that differ by row, or by panel, only.
  Vectors byRow(llvm::function_ref<Value(Value row)> vectorAt);
  Vectors byPanel(llvm::function_ref<Value(Value column)> vectorAt);

  Lowering &lowering_;
  Kernel &kernel_;
  Emit &emit_;
  RegisterBlock at_;
  llvm::DenseMap<Value, Vectors> known_;
};

} // namespace linmu::cpu
