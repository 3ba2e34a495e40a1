// Vectors that depend on a state as sums, so that their parts can be keys.
#pragma once
#include "compiler/normalize/StateReads.h"
#include "llvm/ADT/MapVector.h"

namespace linmu {

/// Vectors as sums of vectors times scalars: their summands where they depend on a state, since a key may
/// not. What several summands share is taken apart once.
class Summands {
public:
  /// Vectors to their scales, null where that is one.
  using Columns = llvm::SmallMapVector<mlir::Value, mlir::Value, 4>;

  Summands(Symbols &symbols, StateReads &reads) : symbols_(symbols), reads_(reads) {}

  const Columns &of(mlir::Value vector);

private:
  Symbols &symbols_;
  StateReads &reads_;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Columns>> columns_;
};

} // namespace linmu
