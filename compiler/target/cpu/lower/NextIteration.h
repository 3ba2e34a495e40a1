// Scalars and addresses of the iteration that a thread runs next.
//
// What is asked for ahead are the rows that a load or store will touch then. What they depend on is computed
// once more, from where the thread will be.
#pragma once
#include "compiler/target/cpu/lower/Places.h"
#include "compiler/target/cpu/lower/TokenWalk.h"

namespace linmu::cpu {

class NextIteration {
public:
  using Value = mlir::Value;

  NextIteration(Kernel &kernel, Places &places, const TokenWalk &walk)
      : kernel_(kernel), emit_(kernel.emit), places_(places), walk_(walk) {}

  /// From now on it is the one after `position` of the loop's variable, which may be another block's.
  void enter(mlir::scf::ForOp source, Value position);
  /// From now on it is `position` of `block`.
  void moveTo(mlir::scf::ForOp source, Value position, Value block);

  /// The address, as an index, of the first element that a load or store touches in its row `at`.
  Value addressOf(mlir::Operation *loadOrStore, Value at);

private:
  Value ahead(Value value, Value at);
  Value insideOf(Value memory, int64_t axis, Value index);
  Value aheadIndex(Value index, Value at);

  Kernel &kernel_;
  Emit &emit_;
  Places &places_;
  const TokenWalk &walk_;
  llvm::DenseMap<Value, Value> ahead_; ///< loop variables to their values in that iteration
  Value block_;                        ///< its block
};

} // namespace linmu::cpu
