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
  /// The state that a symbol is a read of, or none.
  std::optional<unsigned> stateOf(mlir::Value symbol) const;
  /// The states whose reads a value depends on; those of null are none.
  const llvm::SmallDenseSet<unsigned> &dependencies(mlir::Value value);
  bool dependOn(mlir::Value value, llvm::ArrayRef<unsigned> states) {
    return llvm::any_of(states, [&](unsigned state) { return dependencies(value).contains(state); });
  }
  /// The keys along the key axis, free of states themselves, with which a value was read.
  llvm::SmallVector<mlir::Value> keysIn(mlir::Value value);

private:
  Symbols &symbols_;
  llvm::MutableArrayRef<StateForm> states_;
  llvm::DenseMap<mlir::Value, std::pair<unsigned, unsigned>> readOf_; ///< symbol to (state, read)
  llvm::DenseMap<mlir::Value, llvm::SmallDenseSet<unsigned>> dependencies_;
};

} // namespace linmu
