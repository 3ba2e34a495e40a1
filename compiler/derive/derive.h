// Derivation: from WHAT (pattern ops) to HOW (a tile.program for one schedule).
#pragma once
#include "compiler/derive/plan.h"

namespace linmu {

/// Replaces `function` (pattern ops without segment and mask clauses, and a return) by a tile.program of the
/// same name, as `plan` says, which was made of it. Each pattern op becomes one or more launches; token
/// tensors between ops become temporaries. Errors are reported at the op that cannot be derived.
mlir::LogicalResult derive(mlir::func::FuncOp function, const Plan &plan, const Schedule &schedule);

} // namespace linmu
