// The affine analysis of a scan's step: each state as a decay of the old one plus rank-one writes.
#pragma once
#include "compiler/normalize/Feedback.h"
#include "compiler/normalize/Logarithm.h"
#include "compiler/normalize/StepForms.h"

namespace linmu {

/// The values of a step as expressions over tokens and reads, and the form of every state.
class AffineAnalysis {
public:
  AffineAnalysis(pattern::ScanOp scan, llvm::ArrayRef<int> keyAxes);
  AffineAnalysis(const AffineAnalysis &) = delete;

  /// True where every state is in the normal form; else opaque() says why.
  bool run();
  const Opaque &opaque() const { return diagnosis_.opaque(); }

  Symbols &symbols() { return symbols_; }
  llvm::ArrayRef<StateForm> states() const { return states_; }
  StateReads &reads() { return reads_; }
  const StepForms &forms() const { return forms_; }
  /// The scan's outputs.
  llvm::ArrayRef<mlir::Value> outputs() const { return outputs_; }
  using Group = llvm::SmallVector<unsigned, 2>;
  /// The order in which states can be computed: each after those whose reads it uses. States that are
  /// computed together are one group.
  llvm::ArrayRef<Group> strata() const { return strata_; }

private:
  using Value = mlir::Value;

  /// From what the step yields for a state to its form.
  bool finishState(unsigned state);
  bool finishWithoutKey(unsigned state, mlir::Operation *at);
  bool finishWithKey(unsigned state, mlir::Operation *at);
  /// States that take each other as a whole, or that depend on each other, are computed together.
  bool findGroups();
  /// The states that the next one of a state is computed from the reads of.
  llvm::SmallDenseSet<unsigned> needsOf(unsigned state);
  bool isCoupled(unsigned state) const { return groups_[state].size() > 1; }
  /// What a state takes of those of its group, in the place of a decay.
  bool failMixed(Value factor, mlir::Operation *at);
  bool finishCoupling(unsigned state, const MatrixForm &matrix, mlir::Operation *at);
  /// What the state's next write owes to its reads.
  bool takeFeedback(unsigned state, FeedbackExtractor &extractor, mlir::Operation *at);
  /// Logarithm and sign of a factor that the state keeps.
  bool finishDecay(unsigned state, Value factor, Value &decay, Value &sign, mlir::Operation *at);
  /// On the state, or on one that is computed with it.
  bool dependsOn(Value value, unsigned state) { return reads_.dependOn(value, groups_[state]); }
  /// Outputs that read what equals the next state read the next state.
  void makeReadsInclusive();
  bool orderStrata();

  pattern::ScanOp scan_;
  Symbols symbols_;
  std::vector<StateForm> states_;
  StateReads reads_;
  Diagnosis diagnosis_;
  StepForms forms_;
  Logarithms logarithms_;
  llvm::SmallVector<Value> outputs_;
  std::vector<Group> groups_; ///< of each state the group that it is of
  std::vector<Group> strata_;
};

} // namespace linmu
