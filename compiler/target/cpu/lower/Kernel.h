// What the parts of a kernel's lowering share.
#pragma once
#include "compiler/target/cpu/Machine.h"
#include "compiler/target/cpu/buffers/Buffers.h"
#include "compiler/target/cpu/lower/Emit.h"
#include "dialects/tile/Tile.h"
#include "mlir/IR/IRMapping.h"

namespace linmu::cpu {

/// The function that a kernel becomes: where ops are built, and what stands in it for values of the kernel.
struct Kernel {
  using Value = mlir::Value;

  Kernel(mlir::Location location, mlir::MLIRContext *context, const Machine &machine)
      : emit(location, context), machine(machine), buffers(emit) {}
  Kernel(const Kernel &) = delete;

  Value scalar(Value ofKernel) const { return scalars.lookup(ofKernel); }
  Value memory(Value operand) const { return operands.lookup(operand); }
  /// Where block `number` of the grid stands in a dimension.
  Value blockPlace(Value number, std::int64_t dimension);

  Emit emit;
  const Machine &machine;
  mlir::IRMapping scalars;               ///< scalars of the kernel to scalars of the function
  llvm::DenseMap<Value, Value> operands; ///< operands in memory to memrefs
  Value grid[3];
  Value block;     ///< number of the block, x fastest
  Buffers buffers; ///< of tiles and of tile.alloc
};

/// A register block: `rows` rows from `row`, and the columns of `panels` panels from `panel`, whose first
/// column is `column`. Its vectors are those of the first panel, row by row, then those of the next.
struct RegisterBlock {
  mlir::Value row;
  std::int64_t rows;
  mlir::Value panel;
  mlir::Value column;
  std::int64_t panels = 1;

  std::int64_t size() const { return rows * panels; }
};

/// The vectors of a block in their order.
void forEachVector(Emit &emit, const RegisterBlock &at,
                   llvm::function_ref<void(mlir::Value row, mlir::Value panel, mlir::Value column)> body);

} // namespace linmu::cpu
