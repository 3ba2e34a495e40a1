// One token after the other: what recurrent kernels do, and chunks that must be exact.
#pragma once
#include "compiler/derive/loop_kernel.h"

namespace linmu {

/// Walks the positions [first, end) of a scan or normal_scan, stores the outputs and gives the states after
/// them, as they are stored.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> walkTokens(LoopKernel &kernel, mlir::Operation *scan,
                                                           mlir::Value first, mlir::Value end,
                                                           mlir::ValueRange states);

} // namespace linmu
