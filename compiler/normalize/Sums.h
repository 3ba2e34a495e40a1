// Rules by which sums and differences of symbols become simpler.
#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// x where `value` is -x, else null.
mlir::Value negated(mlir::Value value, Symbols &symbols);

/// lhs + sign * rhs with like terms together, where there are any; else null.
mlir::Value collectLikeTerms(mlir::Value lhs, mlir::Value rhs, double sign, Symbols &symbols);

/// x (1 - y) for x and x y, else null: so the range of the difference shows.
mlir::Value complement(mlir::Value whole, mlir::Value part, Symbols &symbols);

} // namespace linmu
