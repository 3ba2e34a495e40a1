// Builds arithmetic of the shape of one op's result: f32 scalars or vectors of them.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace linmu::cpu {

class MathBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using FloatPredicate = mlir::arith::CmpFPredicate;
  using IntegerPredicate = mlir::arith::CmpIPredicate;

  /// Builds before `op`, in the shape of its result.
  explicit MathBuilder(mlir::Operation *op)
      : ImplicitLocOpBuilder(op->getLoc(), op),
        shape_(mlir::dyn_cast<mlir::VectorType>(op->getResult(0).getType())) {}

  mlir::VectorType shape() const { return shape_; }
  mlir::Type shaped(mlir::Type element) { return shape_ ? mlir::Type(shape_.clone(element)) : element; }
  Value f32(double value) { return constant(getF32FloatAttr(float(value))); }
  Value f64(double value) { return constant(getF64FloatAttr(value)); }
  Value i32(std::int64_t value) { return constant(getI32IntegerAttr(std::int32_t(value))); }
  Value i64(std::int64_t value) { return constant(getI64IntegerAttr(value)); }
  Value i1(bool value) { return constant(getBoolAttr(value)); }

  template <typename Op> Value make(Value a, Value b) { return Op::create(*this, a, b); }
  Value add(Value a, Value b) { return make<mlir::arith::AddFOp>(a, b); }
  Value subtract(Value a, Value b) { return make<mlir::arith::SubFOp>(a, b); }
  Value multiply(Value a, Value b) { return make<mlir::arith::MulFOp>(a, b); }
  Value divide(Value a, Value b) { return make<mlir::arith::DivFOp>(a, b); }
  Value both(Value a, Value b) { return make<mlir::arith::AndIOp>(a, b); }
  Value either(Value a, Value b) { return make<mlir::arith::OrIOp>(a, b); }
  Value fma(Value a, Value b, Value c) { return mlir::math::FmaOp::create(*this, a, b, c); }
  Value compare(FloatPredicate predicate, Value a, Value b) {
    return mlir::arith::CmpFOp::create(*this, predicate, a, b);
  }
  Value compare(IntegerPredicate predicate, Value a, Value b) {
    return mlir::arith::CmpIOp::create(*this, predicate, a, b);
  }
  Value select(Value condition, Value yes, Value no) {
    return mlir::arith::SelectOp::create(*this, condition, yes, no);
  }

  /// A conversion to elements of another type.
  template <typename Op> Value convert(Value x, mlir::Type element) {
    return Op::create(*this, shaped(element), x);
  }

private:
  Value constant(mlir::TypedAttr attribute) {
    if (shape_)
      attribute = mlir::DenseElementsAttr::get(shape_.clone(attribute.getType()), mlir::Attribute(attribute));
    return mlir::arith::ConstantOp::create(*this, attribute);
  }

  mlir::VectorType shape_;
};

} // namespace linmu::cpu
