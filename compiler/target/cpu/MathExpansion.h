#pragma once
#include "mlir/IR/Operation.h"

namespace linmu::cpu {

/// Replaces math functions and what LLVM would call a library for (bf16 truncation, ceiling division) by
/// arithmetic.
llvm::LogicalResult expandMath(mlir::Operation *root);

} // namespace linmu::cpu
