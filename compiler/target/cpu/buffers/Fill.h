// Computes a tile into a buffer.
#pragma once
#include "compiler/target/cpu/buffers/Buffers.h"

namespace linmu::cpu {

struct Kernel;
struct Lowering;
struct RegisterBlock;

/// Writes all elements of `tile` to `buffer`, of whatever layout.
void fill(Lowering &lowering, mlir::Value tile, const Buffer &buffer);

/// Computes `tile` into a buffer of its own in a layout that it has none of yet.
void materialize(Lowering &lowering, mlir::Value tile, Layout layout);

/// Copies a tile from one buffer of rows or panels to another.
void copyBuffer(Lowering &lowering, mlir::Value tile, const Buffer &from, const Buffer &to);

/// The vectors of a register block to a buffer of rows or panels.
void storeBlock(Kernel &kernel, llvm::ArrayRef<mlir::Value> vectors, const Buffer &buffer,
                const RegisterBlock &at);

} // namespace linmu::cpu
