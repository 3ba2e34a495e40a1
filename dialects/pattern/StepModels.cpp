// StepOp for upstream ops on floats, constants and selects: linearity and value of each, in one table.
#include "dialects/pattern/StepModels.h"
#include "dialects/pattern/StepDerivatives.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace linmu::pattern;

namespace {

/// The operands in which an op is linear.
enum Linearity { inNone, inFirst, inBoth };

template <typename Op, Linearity linearity, double (*function)(double), UnaryDerivative derivative>
struct UnaryModel : StepOp::ExternalModel<UnaryModel<Op, linearity, function, derivative>, Op> {
  SmallVector<unsigned> linearIn(Operation *) const {
    return linearity == inNone ? SmallVector<unsigned>{} : SmallVector<unsigned>{0};
  }
  StepValue evaluate(Operation *, ArrayRef<StepValue> operands) const {
    return elementwise(operands[0], function);
  }
  SmallVector<Value> vjp(Operation *op, StepBuilder &builder, Value cotangent) const {
    return {derivative(builder, cotangent, op->getOperand(0), op->getResult(0))};
  }
};

template <typename Op, Linearity linearity, double (*function)(double, double), BinaryDerivative derivative>
struct BinaryModel : StepOp::ExternalModel<BinaryModel<Op, linearity, function, derivative>, Op> {
  SmallVector<unsigned> linearIn(Operation *) const {
    if (linearity == inBoth)
      return {0, 1};
    return linearity == inFirst ? SmallVector<unsigned>{0} : SmallVector<unsigned>{};
  }
  StepValue evaluate(Operation *, ArrayRef<StepValue> operands) const {
    return elementwise(operands[0], operands[1], function);
  }
  SmallVector<Value> vjp(Operation *op, StepBuilder &builder, Value cotangent) const {
    auto [first, second] =
        derivative(builder, cotangent, op->getOperand(0), op->getOperand(1), op->getResult(0));
    return {first, second};
  }
};

double add(double a, double b) { return a + b; }
double subtract(double a, double b) { return a - b; }
double multiply(double a, double b) { return a * b; }
double divide(double a, double b) { return a / b; }
// -0 is below +0. A NaN beside a number is the result, or with minnumf and maxnumf passed over.
double largerNumber(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}
double smallerNumber(double a, double b) { return -largerNumber(-a, -b); }
double maximum(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : largerNumber(a, b); }
double minimum(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : smallerNumber(a, b); }
double negate(double a) { return -a; }
double reciprocalSqrt(double a) { return 1 / std::sqrt(a); }

struct ConstantModel : StepOp::ExternalModel<ConstantModel, arith::ConstantOp> {
  SmallVector<unsigned> linearIn(Operation *) const { return {}; }
  SmallVector<Value> vjp(Operation *, StepBuilder &, Value) const { return {}; }
  StepValue evaluate(Operation *op, ArrayRef<StepValue>) const {
    TypedAttr attribute = cast<arith::ConstantOp>(op).getValue();
    auto number = [](Attribute value) {
      if (auto real = dyn_cast<FloatAttr>(value))
        return real.getValueAsDouble();
      auto integer = cast<IntegerAttr>(value);
      return integer.getType().isInteger(1) ? double(integer.getValue().getBoolValue())
                                            : double(integer.getInt());
    };
    auto dense = dyn_cast<DenseElementsAttr>(attribute);
    if (!dense)
      return StepValue::scalar(number(attribute));
    StepValue result;
    result.shape.assign(dense.getType().getShape().begin(), dense.getType().getShape().end());
    for (Attribute element : dense.getValues<Attribute>())
      result.elements.push_back(number(element));
    return result;
  }
};

/// Linear in the chosen values while the condition is held fixed.
struct SelectModel : StepOp::ExternalModel<SelectModel, arith::SelectOp> {
  SmallVector<unsigned> linearIn(Operation *) const { return {1, 2}; }
  StepValue evaluate(Operation *, ArrayRef<StepValue> operands) const {
    const StepValue &condition = operands[0];
    StepValue result = operands[1];
    for (size_t i = 0; i < result.elements.size(); ++i)
      if (!condition.elements[condition.shape.empty() ? 0 : i])
        result.elements[i] = operands[2].elements[i];
    return result;
  }
  SmallVector<Value> vjp(Operation *op, StepBuilder &builder, Value cotangent) const {
    Value zero = builder.constant(cotangent.getType(), 0), condition = op->getOperand(0);
    return {{}, builder.select(condition, cotangent, zero), builder.select(condition, zero, cotangent)};
  }
};

struct FmaModel : StepOp::ExternalModel<FmaModel, math::FmaOp> {
  SmallVector<unsigned> linearIn(Operation *) const { return {}; }
  StepValue evaluate(Operation *, ArrayRef<StepValue> operands) const {
    return elementwise(elementwise(operands[0], operands[1], multiply), operands[2], add);
  }
  SmallVector<Value> vjp(Operation *op, StepBuilder &builder, Value cotangent) const {
    return {builder.multiply(cotangent, op->getOperand(1)), builder.multiply(cotangent, op->getOperand(0)),
            cotangent};
  }
};

} // namespace

void linmu::pattern::registerFloatStepModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    arith::ConstantOp::attachInterface<ConstantModel>(*context);
    arith::SelectOp::attachInterface<SelectModel>(*context);
    // Sums are jointly linear; the affine analysis treats them so.
    arith::AddFOp::attachInterface<BinaryModel<arith::AddFOp, inBoth, add, derivative::ofSum>>(*context);
    arith::SubFOp::attachInterface<BinaryModel<arith::SubFOp, inBoth, subtract, derivative::ofDifference>>(
        *context);
    arith::MulFOp::attachInterface<BinaryModel<arith::MulFOp, inBoth, multiply, derivative::ofProduct>>(
        *context);
    arith::DivFOp::attachInterface<BinaryModel<arith::DivFOp, inFirst, divide, derivative::ofQuotient>>(
        *context);
    arith::NegFOp::attachInterface<UnaryModel<arith::NegFOp, inFirst, negate, derivative::ofNegation>>(
        *context);
    arith::MaximumFOp::attachInterface<
        BinaryModel<arith::MaximumFOp, inNone, maximum, derivative::ofMaximum>>(*context);
    arith::MinimumFOp::attachInterface<
        BinaryModel<arith::MinimumFOp, inNone, minimum, derivative::ofMinimum>>(*context);
    arith::MaxNumFOp::attachInterface<
        BinaryModel<arith::MaxNumFOp, inNone, largerNumber, derivative::ofMaximum>>(*context);
    arith::MinNumFOp::attachInterface<
        BinaryModel<arith::MinNumFOp, inNone, smallerNumber, derivative::ofMinimum>>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, math::MathDialect *) {
    math::ExpOp::attachInterface<UnaryModel<math::ExpOp, inNone, std::exp, derivative::ofExp>>(*context);
    math::Exp2Op::attachInterface<UnaryModel<math::Exp2Op, inNone, std::exp2, derivative::ofExp2>>(*context);
    math::ExpM1Op::attachInterface<UnaryModel<math::ExpM1Op, inNone, std::expm1, derivative::ofExpM1>>(
        *context);
    math::LogOp::attachInterface<UnaryModel<math::LogOp, inNone, std::log, derivative::ofLog>>(*context);
    math::Log1pOp::attachInterface<UnaryModel<math::Log1pOp, inNone, std::log1p, derivative::ofLog1p>>(
        *context);
    math::Log2Op::attachInterface<UnaryModel<math::Log2Op, inNone, std::log2, derivative::ofLog2>>(*context);
    math::SqrtOp::attachInterface<UnaryModel<math::SqrtOp, inNone, std::sqrt, derivative::ofSqrt>>(*context);
    math::RsqrtOp::attachInterface<UnaryModel<math::RsqrtOp, inNone, reciprocalSqrt, derivative::ofRsqrt>>(
        *context);
    math::TanhOp::attachInterface<UnaryModel<math::TanhOp, inNone, std::tanh, derivative::ofTanh>>(*context);
    math::ErfOp::attachInterface<UnaryModel<math::ErfOp, inNone, std::erf, derivative::ofErf>>(*context);
    math::AbsFOp::attachInterface<UnaryModel<math::AbsFOp, inNone, std::fabs, derivative::ofAbs>>(*context);
    math::SinOp::attachInterface<UnaryModel<math::SinOp, inNone, std::sin, derivative::ofSin>>(*context);
    math::CosOp::attachInterface<UnaryModel<math::CosOp, inNone, std::cos, derivative::ofCos>>(*context);
    math::PowFOp::attachInterface<BinaryModel<math::PowFOp, inNone, std::pow, derivative::ofPower>>(*context);
    math::FmaOp::attachInterface<FmaModel>(*context);
  });
}

void linmu::pattern::registerStepModels(DialectRegistry &registry) {
  registerFloatStepModels(registry);
  registerIntegerStepModels(registry);
}
