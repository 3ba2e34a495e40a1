// Derivatives of the float functions of a step: what a result's gradient sends back to the operands.
#pragma once
#include "dialects/pattern/StepBuilder.h"
#include <utility>

namespace linmu::pattern {

/// The gradient of the operand `x`, given that of the result `y`.
using UnaryDerivative = mlir::Value (*)(StepBuilder &builder, mlir::Value cotangent, mlir::Value x,
                                        mlir::Value y);
/// The gradients of the operands `a` and `b`.
using BinaryDerivative = std::pair<mlir::Value, mlir::Value> (*)(StepBuilder &builder, mlir::Value cotangent,
                                                                 mlir::Value a, mlir::Value b, mlir::Value y);

namespace derivative {

#define LINMU_UNARY(name)                                                                                    \
  mlir::Value name(StepBuilder &builder, mlir::Value cotangent, mlir::Value x, mlir::Value y)
LINMU_UNARY(ofNegation);
LINMU_UNARY(ofExp);
LINMU_UNARY(ofExp2);
LINMU_UNARY(ofExpM1);
/// None at zero and below, where the logarithm is not finite: that of a decay of zero is there.
LINMU_UNARY(ofLog);
LINMU_UNARY(ofLog1p);
LINMU_UNARY(ofLog2);
/// None at zero.
LINMU_UNARY(ofSqrt);
LINMU_UNARY(ofRsqrt);
LINMU_UNARY(ofTanh);
LINMU_UNARY(ofErf);
/// None at zero.
LINMU_UNARY(ofAbs);
LINMU_UNARY(ofSin);
LINMU_UNARY(ofCos);
LINMU_UNARY(ofSigmoid);
LINMU_UNARY(ofSoftplus);
#undef LINMU_UNARY

#define LINMU_BINARY(name)                                                                                   \
  std::pair<mlir::Value, mlir::Value> name(StepBuilder &builder, mlir::Value cotangent, mlir::Value a,       \
                                           mlir::Value b, mlir::Value y)
LINMU_BINARY(ofSum);
LINMU_BINARY(ofDifference);
LINMU_BINARY(ofProduct);
LINMU_BINARY(ofQuotient);
/// All to `a` where the operands are equal, or one is no number.
LINMU_BINARY(ofMaximum);
LINMU_BINARY(ofMinimum);
/// None to the exponent where the base is not positive.
LINMU_BINARY(ofPower);
#undef LINMU_BINARY

} // namespace derivative
} // namespace linmu::pattern
