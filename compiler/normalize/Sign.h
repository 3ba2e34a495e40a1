#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// 1, or -1 where the value is negative, taken of its form where one is known: the sign of a product is that
/// of its factors. Null where no element is negative.
mlir::Value signOf(mlir::Value value, Symbols &symbols);

} // namespace linmu
