// The gradients of a function's values while its ops are differentiated.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace linmu::autodiff {

/// Contributions have the kind of the value that they belong to, or, for a param, are states: what each
/// sequence and head adds. They may have the heads of the loop that made them, and are f32 but for those of
/// results.
class Cotangents {
public:
  /// Values that depend on none of `inputs` get no gradient.
  Cotangents(mlir::func::FuncOp function, mlir::ValueRange inputs);

  bool wants(mlir::Value value) const { return active_.contains(value); }
  void add(mlir::Value value, mlir::Value contribution);
  /// Whether anything contributes to its gradient.
  bool gets(mlir::Value value) const { return !contributions_.lookup(value).empty(); }
  /// The gradient of a token tensor or state for use in a loop with its heads, or null where it gets nothing:
  /// f32, and with one head where the value has none.
  mlir::Value of(mlir::OpBuilder &builder, mlir::Value value);
  /// The same for a loop's token operand, which may be of any float type: as it is where it has one
  /// contribution.
  mlir::Value given(mlir::OpBuilder &builder, mlir::Value value);
  /// The gradient with the value's type, made by an op of its own, or by the one that alone contributes to it
  /// and rounds itself; null where the value gets nothing.
  mlir::Value result(mlir::OpBuilder &builder, mlir::Value value);

private:
  llvm::DenseSet<mlir::Value> active_;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> contributions_;
};

} // namespace linmu::autodiff
