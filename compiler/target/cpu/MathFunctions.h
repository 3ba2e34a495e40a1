// Functions of f32 as arithmetic, within two units in the last place over all normal numbers; `power` within
// eight. Arguments and results below the normal numbers count as zero, as everywhere in kernels; infinities,
// NaN and the sign of zero are as C's libm has them.
#pragma once
#include "compiler/target/cpu/MathBuilder.h"

namespace linmu::cpu {

// Exponentials.cpp. `isBounded`: the argument is known to be at most 88 (127 for base 2), or NaN.
mlir::Value exponential(MathBuilder &builder, mlir::Value x, bool isBounded);
mlir::Value exponentialBase2(MathBuilder &builder, mlir::Value x, bool isBounded);
mlir::Value exponentialMinusOne(MathBuilder &builder, mlir::Value x);
mlir::Value hyperbolicTangent(MathBuilder &builder, mlir::Value x);
mlir::Value errorFunction(MathBuilder &builder, mlir::Value x);
/// (1 + r + r^2 / 2 + ...) 2^whole for |r| <= 0.35 and whole numbers of any size.
mlir::Value exponentialOfParts(MathBuilder &builder, mlir::Value r, mlir::Value whole);

// Logarithms.cpp. `isNonnegative`: the argument is known to be at least +0, or NaN.
mlir::Value logarithm(MathBuilder &builder, mlir::Value x);
mlir::Value logarithmBase2(MathBuilder &builder, mlir::Value x);
mlir::Value logarithmOfOnePlus(MathBuilder &builder, mlir::Value x, bool isNonnegative);
/// |x| as m 2^e with m in [2/3, 4/3): m, and e 2^23 as an i32.
std::pair<mlir::Value, mlir::Value> splitExponent(MathBuilder &builder, mlir::Value x);

// Trigonometry.cpp
mlir::Value sine(MathBuilder &builder, mlir::Value x);
mlir::Value cosine(MathBuilder &builder, mlir::Value x);

// Power.cpp
mlir::Value power(MathBuilder &builder, mlir::Value base, mlir::Value exponent);

} // namespace linmu::cpu
