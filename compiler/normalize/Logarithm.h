#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// Logarithms of decays, each made once.
class Logarithms {
public:
  explicit Logarithms(Symbols &symbols) : symbols_(symbols) {}

  /// The logarithm of the size of a value known to lie in [-1, 1], taken of its form where one is known
  /// (log exp g = g) and of the number only otherwise. Below -200, whose exponential is exactly zero in f32,
  /// it is -200; that bound comes last, after all that scales the logarithm.
  mlir::Value of(mlir::Value value);

private:
  Symbols &symbols_;
  llvm::DenseMap<mlir::Value, mlir::Value> known_;
};

} // namespace linmu
