// StepOp for the upstream ops that a step may use.
#pragma once
#include "dialects/pattern/Pattern.h"

namespace linmu::pattern {

/// Ops on floats, constants and selects (StepModels.cpp).
void registerFloatStepModels(mlir::DialectRegistry &registry);
/// Integer ops, comparisons and conversions (IntegerStepModels.cpp).
void registerIntegerStepModels(mlir::DialectRegistry &registry);

} // namespace linmu::pattern
