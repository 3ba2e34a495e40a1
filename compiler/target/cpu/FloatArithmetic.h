// Arithmetic on floats beyond single ops: signs, bounds, polynomials, and their bits.
#pragma once
#include "compiler/target/cpu/MathBuilder.h"
#include <initializer_list>

namespace linmu::cpu {

mlir::Value absolute(MathBuilder &builder, mlir::Value x);
mlir::Value copySign(MathBuilder &builder, mlir::Value magnitude, mlir::Value sign);
/// `x` held at or above, and at or below, a bound; a NaN stays. One instruction each.
mlir::Value atLeast(MathBuilder &builder, mlir::Value x, mlir::Value bound);
mlir::Value atMost(MathBuilder &builder, mlir::Value x, mlir::Value bound);

/// The bits of an f32 as an i32, and back.
mlir::Value bitsOf(MathBuilder &builder, mlir::Value x);
mlir::Value fromBits(MathBuilder &builder, mlir::Value x);

/// c0 + c1 x + c2 x^2 + ..., given the highest coefficient first and f32 or f64 by `x`.
mlir::Value polynomial(MathBuilder &builder, mlir::Value x, std::initializer_list<double> coefficients);

} // namespace linmu::cpu
