// One token after the other: what recurrent kernels do, and chunks that must be exact.
#pragma once
#include "compiler/derive/loop_kernel.h"

namespace linmu {

/// What of a normal_scan is walked.
struct TokenWalk {
  unsigned states = 0;                          ///< the first so many
  llvm::SmallVector<unsigned> transitions = {}; ///< states whose transition, K x K, is carried as well
  bool outputs = true;                          ///< stored; takes all states
};

/// Walks the positions [first, end) of a scan or normal_scan, stores the outputs and gives the states after
/// them, as they are stored.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> walkTokens(LoopKernel &kernel, mlir::Operation *scan,
                                                           mlir::Value first, mlir::Value end,
                                                           mlir::ValueRange states);
/// The same of a part: `entering` are its states, and behind them its transitions.
mlir::FailureOr<llvm::SmallVector<mlir::Value>> walkTokens(LoopKernel &kernel, mlir::Operation *scan,
                                                           mlir::Value first, mlir::Value end,
                                                           mlir::ValueRange entering, const TokenWalk &walk);

} // namespace linmu
