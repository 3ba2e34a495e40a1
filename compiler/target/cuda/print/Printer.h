// Programs whose kernels say what a thread does, as CUDA C++.
#pragma once
#include "dialects/tile/Tile.h"
#include "runtime/core/package.h"

namespace linmu::cuda {

struct PrintOptions {
  /// `#line` directives with the places in the user's source.
  bool lines = true;
};

/// The kernels of the program in its order, each a text to stand behind the prelude (prelude/operands.cuh
/// says how a kernel is called), alone or with others. One op is one line, and the text of one kernel is
/// always the same. Fails with an error at the op that has no form in CUDA C++, or at the kernel without
/// `threads`.
llvm::FailureOr<std::vector<KernelSource>> printProgram(tile::ProgramOp program,
                                                        const PrintOptions &options = {});

/// The ops that have a form in CUDA C++, by their names, sorted.
std::vector<llvm::StringRef> printedOps();

} // namespace linmu::cuda
