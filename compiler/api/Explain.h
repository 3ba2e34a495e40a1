// The report of `linmuc --explain`.
#pragma once
#include "compiler/schedule/schedule.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace linmu {

/// For each op of a normalised pattern: its normal form, or the op and source line that makes it opaque, and
/// the algorithm that runs it under the schedule. As text, or as one JSON object.
std::string explain(mlir::func::FuncOp function, const Schedule &schedule, bool json);

} // namespace linmu
