// Why a step is not in the normal form: the op that the first failure is the fault of, and the states.
#pragma once
#include "dialects/pattern/Pattern.h"
#include "llvm/ADT/BitVector.h"
#include <string>

namespace linmu {

/// Why a step is not in the normal form, and where.
struct Opaque {
  std::string reason;
  mlir::Operation *at = nullptr;
  /// Whether the state may be in the form with another key axis: 0 not, 1 perhaps, 2 its reads say so,
  /// 3 the op is not on the path from the state to itself, where another reason may be.
  int ofOrientation = 0;
  /// The states whose key axes the failure depends on, those that the failing op holds as a whole first:
  /// under the same axes of these the step fails again, whatever those of the others.
  llvm::SmallVector<unsigned> states;
};

/// The name of an op in quotes, for messages.
std::string quotedName(mlir::Operation *op);

/// Keeps the first failure of an analysis, and for it what values of the step and expressions come from.
class Diagnosis {
public:
  using Value = mlir::Value;

  explicit Diagnosis(pattern::ScanOp scan);

  const Opaque &opaque() const { return opaque_; }
  /// Gives false. The failure depends on the states that were suspected last.
  bool fail(const llvm::Twine &reason, mlir::Operation *at, int ofOrientation = 0);
  /// Names what the next failure depends on: the states that `whole` are held of, and the vectors among those
  /// that `values` of the step are computed from. The key axis of a matrix does not matter to what was read
  /// of it: along the other axis the read itself would have failed.
  void suspect(mlir::ValueRange values, llvm::ArrayRef<unsigned> whole);

  /// The results of an op of the step are computed from its operands.
  void follow(mlir::Operation &op);
  /// The step's op that made an expression; the first one stays.
  void addOrigin(Value expression, mlir::Operation *op) { origins_.try_emplace(expression, op); }
  /// That op, or null.
  mlir::Operation *madeBy(Value expression) const { return origins_.lookup(expression); }
  /// The step's op that made an expression, or a part of it, else `otherwise`.
  mlir::Operation *originOf(Value expression, mlir::Operation *otherwise);

private:
  llvm::BitVector statesBehind(mlir::ValueRange values);

  pattern::ScanOp scan_;
  Opaque opaque_;
  llvm::SmallVector<unsigned> suspects_;
  llvm::DenseMap<Value, llvm::BitVector> behind_; ///< step values to the states that they are computed from
  llvm::DenseMap<Value, mlir::Operation *> origins_;
};

} // namespace linmu
