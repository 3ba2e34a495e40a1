// What the passes of compiler/normalize leave on ops.
#pragma once
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace linmu {

/// Attributes of a scan that stays as it is: why, and the location of the op behind the reason.
inline constexpr llvm::StringLiteral opaqueReason = "pattern.opaque", opaqueLocation = "pattern.opaque_at";

/// Attribute of a loop that maps were fused into: the locations of the maps.
inline constexpr llvm::StringLiteral fusedMaps = "pattern.fused";

/// An op of a step that makes a matrix for each token, which has no form on several tokens at once.
inline bool makesMatrix(mlir::Operation &op) {
  return llvm::any_of(op.getResultTypes(), [](mlir::Type type) {
    auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
    return tensor && tensor.getRank() == 2;
  });
}

} // namespace linmu
