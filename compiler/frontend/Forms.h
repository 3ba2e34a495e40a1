// How each op of a pattern is written, and which there are: for messages.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include <string>

namespace linmu::frontend {

/// An example of the op `name`, such as "%y = math.exp %x : f32"; empty where there is none.
std::string formOf(llvm::StringRef name, mlir::MLIRContext &context);

/// The op that `name` was probably meant to be: its name without a dialect or with a few letters wrong. Empty
/// where none is near.
std::string nearestOp(llvm::StringRef name, mlir::MLIRContext &context);

/// The nearest of `names` that differs from `name` in a third of its letters and three at most; empty where
/// none does.
std::string nearest(llvm::StringRef name, llvm::ArrayRef<std::string> names);

} // namespace linmu::frontend
