// The gradient of each op of a function: what it adds to those of its operands, built at `at`.
#pragma once
#include "compiler/autodiff/Cotangents.h"
#include "dialects/pattern/Pattern.h"

namespace linmu::autodiff {

/// A map whose step is differentiated op by op (MapGradient.cpp).
mlir::LogicalResult differentiateMap(pattern::MapOp map, Cotangents &cotangents, mlir::OpBuilder &at);

/// A scan as split-scans leaves it (ScanGradient.cpp).
mlir::LogicalResult differentiateScan(pattern::NormalScanOp scan, Cotangents &cotangents,
                                      mlir::OpBuilder &at);

/// Softmax attention in windows, its score differentiated op by op (WindowGradient.cpp).
mlir::LogicalResult differentiateWindows(pattern::WindowAttentionOp op, Cotangents &cotangents,
                                         mlir::OpBuilder &at);

} // namespace linmu::autodiff
