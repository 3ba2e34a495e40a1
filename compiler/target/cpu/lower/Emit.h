// Builds loops, constants and arithmetic of vector, scf and arith.
#pragma once
#include "compiler/target/cpu/Machine.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace linmu::cpu {

using Vectors = llvm::SmallVector<mlir::Value, 8>;

/// A vector of Machine::width elements.
mlir::VectorType vectorType(mlir::Type element);
/// The elements of a memref.
mlir::Type elementTypeOf(mlir::Value memref);

class Emit : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using Body = llvm::function_ref<void(Value)>;
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value index(std::int64_t value);
  /// A number, or a vector of it.
  Value constant(mlir::Type type, double value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, std::int64_t rhs) { return rhs == 0 ? lhs : add(lhs, index(rhs)); }
  Value multiply(Value lhs, std::int64_t rhs);
  Value compare(mlir::arith::CmpIPredicate predicate, Value lhs, Value rhs);
  Value toIndex(Value integer);
  Value splat(Value scalar);
  /// 0, 1, ... as a vector of i32.
  Value iota();
  /// Which lanes of the panel at `column` stand before the column `bound`.
  Value lanesBefore(Value bound, Value column);

  /// The bits of a buffer's or an operand's element as an element of a tile, and back; of scalars and
  /// vectors.
  Value fromStored(Value stored, mlir::Type element);
  Value toStored(Value value, unsigned bitsOfBool = 32);

  /// The body with each of from, from + step, ... before `to`; without a loop where there is one at most.
  void loop(std::int64_t from, std::int64_t to, std::int64_t step, Body body);
  void loop(Value from, Value to, std::int64_t step, Body body);
  /// The same with values that are carried from one iteration to the next.
  Vectors loop(Value from, Value to, std::int64_t step, mlir::ValueRange inits,
               llvm::function_ref<Vectors(Value, mlir::ValueRange)> body);
  /// `body` under the condition; without one, always.
  void guarded(Value condition, llvm::function_ref<void()> body);
  void either(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise);

private:
  Value bitcastElements(Value value, mlir::Type element);
};

} // namespace linmu::cpu
