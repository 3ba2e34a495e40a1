// Passes of compiler/normalize.
#pragma once
#include "mlir/Pass/Pass.h"

namespace linmu {

std::unique_ptr<mlir::Pass> createExpandClausesPass();
std::unique_ptr<mlir::Pass> createFoldPermutesPass();
std::unique_ptr<mlir::Pass> createFuseIntoAdjointsPass();
std::unique_ptr<mlir::Pass> createFuseMapsPass();
std::unique_ptr<mlir::Pass> createNormalizePass();

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/normalize/Passes.h.inc"

} // namespace linmu
