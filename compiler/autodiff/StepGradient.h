// The gradient of the ops of a step, last op first, in the step that they stand in.
#pragma once
#include "dialects/pattern/StepBuilder.h"
#include "llvm/ADT/DenseMap.h"

namespace linmu::autodiff {

class StepGradient {
public:
  /// Builds with `builder`, behind the ops that will be differentiated.
  explicit StepGradient(pattern::StepBuilder &builder) : builder_(builder) {}

  /// `cotangent` is part of the gradient of `value`.
  void add(mlir::Value value, mlir::Value cotangent);
  /// What a lag gets is another token's; where the lag has one, the gradient of its `otherwise` comes back.
  using OnLag = llvm::function_ref<mlir::Value(pattern::LagOp lag, mlir::Value cotangent)>;
  /// Takes the gradients of the results of `ops` back to their operands.
  void run(llvm::ArrayRef<mlir::Operation *> ops, OnLag onLag);
  /// The gradient of a value, or null where it gets nothing.
  mlir::Value of(mlir::Value value) const { return gradients_.lookup(value); }

private:
  pattern::StepBuilder &builder_;
  llvm::DenseMap<mlir::Value, mlir::Value> gradients_;
};

} // namespace linmu::autodiff
