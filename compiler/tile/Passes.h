// Passes of compiler/tile: on tile IR, shared by targets.
#pragma once
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace linmu::tile {

#define GEN_PASS_DECL
#include "compiler/tile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/tile/Passes.h.inc"

} // namespace linmu::tile
