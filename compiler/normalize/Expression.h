// Values of a step as readable text, in the names of the pattern's operands.
#pragma once
#include "dialects/pattern/Pattern.h"
#include <string>

namespace linmu {

/// How many ops and leaves an expression is written with at most.
inline constexpr int expressionSize = 48;

/// `value`, an expression over block arguments, written out: "exp(-softplus(dt))". Broadcasts and assumed
/// ranges are left out. Of a longer one the innermost parts are written "...": "((... * ...) * -exp(a))".
std::string expressionOf(mlir::Value value, llvm::function_ref<std::string(mlir::BlockArgument)> nameOfLeaf);

/// The name in the text of the operand behind a param or token argument of the scan's step; "read3" for what
/// comes after those.
std::string nameOfArgument(pattern::ScanOp scan, unsigned argument);
std::string nameOfArgument(pattern::NormalScanOp scan, unsigned argument);

/// The name of a state's initial value in the text, "#1" for one that has none.
std::string nameOfState(pattern::ScanOp scan, unsigned state);

} // namespace linmu
