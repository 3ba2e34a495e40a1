// Builds maps, and scans that only sum, op by op of their step.
#pragma once
#include "dialects/pattern/StepBuilder.h"

namespace linmu::autodiff {

/// How a loop visits tokens, and for how many heads.
struct LoopWalk {
  mlir::Value order, sequences; ///< or null
  bool reverse = false;
  int64_t heads = 1;
  mlir::Value like; ///< some token tensor of the loop

  template <typename LoopOp> static LoopWalk of(LoopOp op) {
    return {op.getOrder(), op.getSequences(), op.getReverse(), op.getHeads(), op.getTokens().front()};
  }
  LoopWalk turned() const {
    LoopWalk walk = *this;
    walk.reverse = !reverse;
    return walk;
  }
};

/// tensor<?x?xHx...xf32> with this slice for each token and head.
mlir::RankedTensorType tokensOf(int64_t heads, mlir::Type slice, mlir::Type element = {});

/// A map under construction; one that sums something over its tokens becomes a scan, whose states are the
/// sums.
class LoopBuilder {
public:
  LoopBuilder(mlir::OpBuilder &at, mlir::Location location, LoopWalk walk);

  /// The step's argument for an operand; equal operands have one.
  mlir::Value param(mlir::Value tensor);
  mlir::Value token(mlir::Value tensor, mlir::Value tail = {});
  /// Ops of the step go here.
  pattern::StepBuilder &step() { return step_; }
  /// A result [B, N, H, ...]; elements are f32 where no type is given. Its number.
  unsigned addOutput(mlir::Value value, mlir::Type element = {});
  /// A result [B, H, ...], of a ragged batch [S, H, ...]: the sum over the tokens. Its number.
  unsigned addSum(mlir::Value value);

  /// The loop, or null where it has no results.
  mlir::Operation *create();
  mlir::Value output(unsigned number) const { return loop_->getResult(number); }
  mlir::Value sum(unsigned number) const { return loop_->getResult(outputs_.size() + number); }

private:
  struct Token {
    mlir::Value tensor, tail;
  };

  mlir::OpBuilder &at_;
  LoopWalk walk_;
  mlir::Region region_;
  mlir::Block *block_;
  pattern::StepBuilder step_;
  llvm::SmallVector<mlir::Value> params_, outputs_, sums_;
  llvm::SmallVector<Token> tokens_;
  llvm::SmallVector<mlir::Type> types_;
  mlir::Operation *loop_ = nullptr;
};

} // namespace linmu::autodiff
