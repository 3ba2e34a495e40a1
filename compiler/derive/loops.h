// Loops of kernels whose body is emitted by a function.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

using Carried = llvm::SmallVector<mlir::Value>;

/// at = begin, begin + step, ... below end, indices. `body` gives what is carried to the next one; the result
/// is what is carried behind the loop.
mlir::FailureOr<Carried>
loopOver(TileBuilder &builder, mlir::Value begin, mlir::Value end, mlir::Value step, mlir::ValueRange carried,
         llvm::function_ref<mlir::FailureOr<Carried>(mlir::Value at, mlir::ValueRange carried)> body);

/// The same without anything carried.
mlir::LogicalResult loopOver(TileBuilder &builder, mlir::Value begin, mlir::Value end, mlir::Value step,
                             llvm::function_ref<mlir::LogicalResult(mlir::Value at)> body);

/// `body` where the condition holds.
mlir::LogicalResult emitIf(TileBuilder &builder, mlir::Value condition,
                           llvm::function_ref<mlir::LogicalResult()> body);

} // namespace linmu
