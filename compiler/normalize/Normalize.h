// Passes of compiler/normalize.
#pragma once
#include "mlir/Pass/Pass.h"

namespace linmu {

std::unique_ptr<mlir::Pass> createExpandClausesPass();
std::unique_ptr<mlir::Pass> createFoldPermutesPass();
std::unique_ptr<mlir::Pass> createFuseMapsPass();
std::unique_ptr<mlir::Pass> createNormalizePass();

/// Attributes of a scan that stays as it is: why, and the location of the op behind the reason.
inline constexpr llvm::StringLiteral opaqueReason = "pattern.opaque", opaqueLocation = "pattern.opaque_at";

/// Attribute of a loop that maps were fused into: the locations of the maps.
inline constexpr llvm::StringLiteral fusedMaps = "pattern.fused";

void registerNormalizePasses();

} // namespace linmu
