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
  /// The order in which states can be computed: each after those whose reads it uses.
  llvm::ArrayRef<unsigned> strata() const { return strata_; }

private:
  using Value = mlir::Value;

  /// From what the step yields for a state to its form.
  bool finishState(unsigned state);
  bool finishWithoutKey(unsigned state, mlir::Operation *at);
  bool finishWithKey(unsigned state, mlir::Operation *at);
  /// What the state's next write owes to its reads.
  bool takeFeedback(unsigned state, FeedbackExtractor &extractor, mlir::Operation *at);
  /// Logarithm and sign of a factor that the state keeps.
  bool finishDecay(unsigned state, Value factor, Value &decay, Value &sign, mlir::Operation *at);
  bool dependsOn(Value value, unsigned state) { return reads_.dependencies(value).contains(state); }
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
  llvm::SmallVector<unsigned> strata_;
};

} // namespace linmu
