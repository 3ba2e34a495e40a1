// Passes of compiler/autodiff.
#pragma once
#include "mlir/Pass/Pass.h"

namespace linmu {

std::unique_ptr<mlir::Pass> createSplitScansPass();
std::unique_ptr<mlir::Pass> createRestoreScansPass();
std::unique_ptr<mlir::Pass> createDropUnusedPass();

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/autodiff/Passes.h.inc"

} // namespace linmu
