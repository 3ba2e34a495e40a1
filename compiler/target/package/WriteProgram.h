// What targets share of writing packages: a program's launches as plain data.
#pragma once
#include "dialects/tile/Tile.h"
#include "runtime/core/package.h"

namespace linmu {

/// Fills in what a target's runtime is told of a launch, by its kernel's name.
using KernelDetails = llvm::function_ref<void(Launch &launch)>;

/// Writes the expressions, temporaries, variants and launches of `program` into `package`. Fails with a
/// diagnostic at what a package cannot hold.
mlir::LogicalResult writeProgram(tile::ProgramOp program, KernelDetails details, Package &package);

} // namespace linmu
