// Derivation: from WHAT (pattern ops) to HOW (a tile.program for one schedule).
#pragma once
#include "compiler/schedule/schedule.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace linmu {

/// Replaces `function` (pattern ops without segment and mask clauses, and a return) by a tile.program of the
/// same name. Each pattern op becomes one or more launches; token tensors between ops become temporaries.
/// Errors are reported at the op that cannot be derived.
mlir::LogicalResult derive(mlir::func::FuncOp function, const Schedule &schedule);

/// The algorithm of one pattern op for long sequences, and why it is not a parallel one where it is not.
struct AlgorithmChoice {
  std::string algorithm;         ///< e.g. "chunked(chunk=16)"
  std::string reason;            ///< why the op runs sequentially; empty where it is parallel
  mlir::Operation *at = nullptr; ///< the op behind the reason, or null
};
AlgorithmChoice chooseAlgorithm(mlir::Operation *op, const Schedule &schedule);

} // namespace linmu
