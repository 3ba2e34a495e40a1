// Interval analysis of state-free values: what proves that a decay is one.
#pragma once
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace linmu {

struct Range {
  double low, high;
};

/// Bounds of values, each computed once, so that what many values share costs no more than one of them. No op
/// that was asked about may be erased or change.
class Ranges {
public:
  /// Bounds of every element of a float or i1 value, from the ops that make it and from `pattern.assume`.
  Range of(mlir::Value value);

private:
  Range compute(mlir::Value value);

  llvm::DenseMap<mlir::Value, Range> known_;
};

} // namespace linmu
