// What a write owes to reads of the same state, or of states computed with it: w_i = v_i + sum_j M_ij y_j.
#pragma once
#include "compiler/normalize/StateReads.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include <string>

namespace linmu {

/// An expression as sum of coefficient * read, by the symbol of the read, plus what is free of the states'
/// reads.
struct Feedback {
  llvm::MapVector<mlir::Value, mlir::Value> coefficients;
  mlir::Value free;
};

/// Extracts the feedback of values of some states; fails at the first op in which the reads are not linear
/// with a coefficient for the whole value.
class FeedbackExtractor {
public:
  /// With `vectorsToo` coefficients may differ between the elements of a value.
  FeedbackExtractor(Symbols &symbols, StateReads &reads, llvm::ArrayRef<unsigned> states, bool vectorsToo)
      : symbols_(symbols), reads_(reads), states_(states), vectorsToo_(vectorsToo) {}

  /// Each value once: what several sums share is not taken apart again.
  std::optional<Feedback> extract(mlir::Value value);

  /// After a failure: the op that made an expression, and what is wrong with it.
  mlir::Operation *culprit() const { return culprit_; }
  const std::string &reason() const { return reason_; }

private:
  std::optional<Feedback> stop(mlir::Operation *op, const llvm::Twine &reason);
  bool depends(mlir::Value value) { return reads_.dependOn(value, states_); }
  std::optional<Feedback> compute(mlir::Value value);
  Feedback combine(Feedback a, const Feedback &b, bool subtract);
  std::optional<Feedback> scale(mlir::Operation *op, mlir::Value value, mlir::Value factor);
  std::optional<Feedback> choose(mlir::arith::SelectOp select);

  Symbols &symbols_;
  StateReads &reads_;
  llvm::SmallVector<unsigned> states_;
  bool vectorsToo_;
  llvm::DenseMap<mlir::Value, Feedback> known_; ///< what is extracted already
  mlir::Operation *culprit_ = nullptr;
  std::string reason_;
};

} // namespace linmu
