// Interval analysis of state-free values: what proves that a decay is one.
#pragma once
#include "mlir/IR/Value.h"

namespace linmu {

struct Range {
  double low, high;
};

/// Bounds of every element of a float or i1 value, from the ops that make it and from `pattern.assume`.
Range rangeOf(mlir::Value value);

} // namespace linmu
