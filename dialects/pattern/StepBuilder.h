// Builds ops of a step without their types spelt out. A scalar beside a vector or matrix is repeated to it.
#pragma once
#include "dialects/pattern/Pattern.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace linmu::pattern {

class StepBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Value = mlir::Value;
  using Type = mlir::Type;

  /// A number, or a tensor with all elements equal.
  Value constant(Type type, double value);
  Value add(Value a, Value b);
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  Value divide(Value a, Value b);
  Value negate(Value a);
  Value select(Value condition, Value yes, Value no);
  /// a > 0, element by element.
  Value isPositive(Value a);
  /// The scalar everywhere in `type`; what has the type is itself.
  Value spread(Value scalar, Type type);
  /// The inner product of two vectors, or the product of two scalars.
  Value dot(Value a, Value b);
  /// The sum of all elements.
  Value total(Value a);
  /// result[i, j] = column[i] * row[j], where either may be a scalar: then a vector or a scalar.
  Value outer(Value column, Value row);

  /// `sum` + `term`, where `sum` may still be null.
  void accumulate(Value &sum, Value term) { sum = sum ? add(sum, term) : term; }

private:
  void spreadBoth(Value &a, Value &b);
};

} // namespace linmu::pattern
