// The definition of the pattern dialect: every op as a plain loop in fp64. Written to be read; it shares no
// code with the compiler's passes and knows segments, masks, orders and tails by itself.
#pragma once
#include "compiler/interpreter/HostTensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace linmu::interpreter {

/// Runs a pattern function (verified, with names; see frontend::parse) on one tensor per argument; gives one
/// per result. A batch extent of 1 stands for every sequence of the batch. Work on different sequences and
/// heads is spread over `threads` threads; the result does not depend on their number.
/// Fails with a diagnostic: at the function for an operand whose type or shape does not fit, at the op for an
/// order that is no permutation, media items outside the sequence or over each other, or a value outside the
/// range that `pattern.assume` states.
mlir::FailureOr<std::vector<HostTensor>> run(mlir::func::FuncOp function, llvm::ArrayRef<HostTensor> inputs,
                                             int threads = 1);

} // namespace linmu::interpreter
