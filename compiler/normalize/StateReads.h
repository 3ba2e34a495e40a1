// What a step reads of its states: a symbol for each read, and what depends on it.
#pragma once
#include "compiler/normalize/StateForm.h"

namespace linmu {

/// The reads of the states of a step. An expression over tokens and reads knows its states by their symbols.
class StateReads {
public:
  /// Adds reads to these forms, which must outlive it.
  StateReads(Symbols &symbols, llvm::MutableArrayRef<StateForm> states)
      : symbols_(symbols), states_(states) {}

  /// What a read with this key gives: a symbol, the same for the same read.
  mlir::Value symbolOf(unsigned state, mlir::Value key, bool inclusive, mlir::Location location);
  /// The number of the read behind a symbol where it is one of this state's, else none.
  std::optional<unsigned> numberOf(mlir::Value symbol, unsigned state) const;
  /// The states whose reads a value depends on; those of null are none.
  const llvm::SmallDenseSet<unsigned> &dependencies(mlir::Value value);
  /// The keys along the key axis, free of states themselves, with which a value was read.
  llvm::SmallVector<mlir::Value> keysIn(mlir::Value value);

private:
  Symbols &symbols_;
  llvm::MutableArrayRef<StateForm> states_;
  llvm::DenseMap<mlir::Value, std::pair<unsigned, unsigned>> readOf_; ///< symbol to (state, read)
  llvm::DenseMap<mlir::Value, llvm::SmallDenseSet<unsigned>> dependencies_;
};

} // namespace linmu
