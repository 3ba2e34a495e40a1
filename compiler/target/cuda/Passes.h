// Passes of compiler/target/cuda.
#pragma once
#include "compiler/target/cuda/dialect/Cuda.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace linmu::cuda {
#define GEN_PASS_DECL
#include "compiler/target/cuda/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda
