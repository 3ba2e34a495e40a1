// A scan of one state, or of coupled ones, whose form is made of token operands and numbers: what split-scans
// leaves and the gradient of a scan is made of.
#pragma once
#include "compiler/autodiff/LoopBuilder.h"

namespace linmu::autodiff {

/// An operand of a form: a token tensor, or a number.
struct FormOperand {
  mlir::Value tensor;
  mlir::TypedAttr number;

  explicit operator bool() const { return tensor || number; }
  /// Its value in a step that is under construction.
  mlir::Value in(LoopBuilder &loop) const;
};

/// `pattern.form` and what stands around it, by the names of dialects/pattern/NormalOps.td.
struct FormScan {
  struct Feedback {
    unsigned write, read;
    FormOperand factor;
  };

  LoopWalk walk;
  FormOperand decay, valueDecay, sign, valueSign; ///< or nothing
  llvm::SmallVector<FormOperand> reads, writes, values;
  llvm::SmallVector<bool> inclusive; ///< of each read
  llvm::SmallVector<Feedback> feedback;
  /// Of states that are computed together: the states (p, q) of each factor that is not zero.
  struct Coupling {
    unsigned to, from;
    FormOperand factor;
  };
  llvm::SmallVector<Coupling> coupling;
  llvm::SmallVector<int64_t> readStates, writeStates; ///< empty of a single state
  int64_t keyAxis = 0;
  mlir::RankedTensorType state;
  llvm::SmallVector<mlir::Value> inits; ///< of each state, or null

  struct Results {
    llvm::SmallVector<mlir::Value> reads, writes; ///< y_j and w_i: [B, N, H, ...] of f32
    llvm::SmallVector<mlir::Value> finals;
  };
  Results create(mlir::OpBuilder &at, mlir::Location location) const;

  /// The form of an op that `create` may have made; nothing where its regions hold more than a form.
  static std::optional<FormScan> of(pattern::NormalScanOp op);
  static Results resultsOf(pattern::NormalScanOp op);

  /// The op of its gradients; `dReads` and `dWrites` are what y_j and w_i get from outside and `dFinals` what
  /// the states at the end get, null where that is nothing.
  pattern::ScanAdjointOp createAdjoint(mlir::OpBuilder &at, mlir::Location location,
                                       llvm::ArrayRef<mlir::Value> dReads,
                                       llvm::ArrayRef<mlir::Value> dWrites,
                                       llvm::ArrayRef<mlir::Value> dFinals) const;
  /// Those of the form that have gradients, in its order.
  llvm::SmallVector<FormOperand> operands() const;

  /// The type of v_i, w_i and y_j.
  mlir::Type valueType() const;

private:
  /// Fills a block with the form; its arguments are the slices of the token tensors that come back.
  llvm::SmallVector<mlir::Value> buildStage(mlir::Block &form, mlir::Location location) const;
};

} // namespace linmu::autodiff
