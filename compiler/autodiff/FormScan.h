// A scan of one state whose form is made of token operands and numbers: what split-scans leaves and the
// gradient of a scan is made of.
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
  FormOperand decay; ///< or nothing
  bool decayByValue = false;
  llvm::SmallVector<FormOperand> reads, writes, values;
  llvm::SmallVector<bool> inclusive; ///< of each read
  llvm::SmallVector<Feedback> feedback;
  int64_t keyAxis = 0;
  mlir::RankedTensorType state;
  mlir::Value init; ///< or null

  struct Results {
    llvm::SmallVector<mlir::Value> reads, writes; ///< y_j and w_i: [B, N, H, ...] of f32
    mlir::Value final;
  };
  Results create(mlir::OpBuilder &at, mlir::Location location) const;

  /// The form of an op that `create` may have made; nothing where its regions hold more than a form.
  static std::optional<FormScan> of(pattern::NormalScanOp op);
  static Results resultsOf(pattern::NormalScanOp op);

  /// The same decays on the transposed state, without reads, writes and feedback: what lay along the key axis
  /// lies along the value axis.
  FormScan transposed() const;
  /// The type of v_i, w_i and y_j.
  mlir::Type valueType() const;
};

} // namespace linmu::autodiff
