#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// The logarithm of the size of a value known to lie in [-1, 1], taken of its form where one is known
/// (log exp g = g) and of the number only otherwise. Below -200, whose exponential is exactly zero in f32, it
/// is -200; that bound comes last, after all that scales the logarithm.
mlir::Value logarithmOf(mlir::Value value, Symbols &symbols);

} // namespace linmu
