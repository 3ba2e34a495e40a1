// What a step's integer ops, conversions, minima and maxima mean on every operand (docs/patterns.md), where
// LLVM leaves some undefined or the machine would trap.
#pragma once
#include "compiler/target/cpu/MathBuilder.h"

namespace linmu::cpu {

/// Quotients and remainders: x / 0 is -1 and x % 0 is x, the smallest integer by -1 is itself and leaves 0.
/// Null where the divisor is a constant that needs no guard.
mlir::Value quotient(MathBuilder &builder, mlir::Value dividend, mlir::Value divisor);
mlir::Value remainder(MathBuilder &builder, mlir::Value dividend, mlir::Value divisor);

/// The nearest integer towards zero, or the nearest that there is; NaN is 0. `integer` is i32 or i1.
mlir::Value truncated(MathBuilder &builder, mlir::Value x, mlir::Type integer);

/// Minimum or maximum with -0 below +0. A NaN is the result (minimumf, maximumf) or, `ofNumbers`, is passed
/// over for the other operand (minnumf, maxnumf).
mlir::Value extremum(MathBuilder &builder, mlir::Value lhs, mlir::Value rhs, bool isMinimum, bool ofNumbers);

/// The float that a constant is, or all elements of one are.
std::optional<llvm::APFloat> floatConstant(mlir::Value value);

} // namespace linmu::cpu
