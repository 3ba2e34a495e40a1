// Builds a tile.program around the kernels that pattern ops become.
#pragma once
#include "compiler/derive/tile_builder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace linmu {

/// One launch of a kernel: blocks = scale * (B) * ceil(N / tokens_per_block), the last factor where
/// tokens_per_block is not 0.
struct LaunchPlan {
  std::string kernel;
  int64_t scale = 1;
  bool times_batch = true;
  int64_t tokens_per_block = 0;
  llvm::SmallVector<mlir::Value> operands; ///< in the program's block
};

/// What one pattern op becomes under one algorithm.
struct OpPlan {
  std::string algorithm;
  std::vector<LaunchPlan> launches;
};

class ProgramBuilder {
public:
  /// Starts the program that will stand for `function`. Fails where a result of the function is not made by
  /// a pattern op.
  static mlir::FailureOr<ProgramBuilder> create(mlir::func::FuncOp function);

  /// The memory in the program that holds a value of the function; values without use have none.
  mlir::Value memory(mlir::Value value) { return memory_.lookupOrNull(value); }

  /// Starts a kernel on the memory of `operands` (values of the function) and points `builder` into it. The
  /// returned plan has the kernel's name and operands; `arguments` maps each value to the kernel's argument.
  LaunchPlan startKernel(llvm::StringRef name, mlir::Location location, mlir::ValueRange operands,
                         mlir::IRMapping &arguments, TileBuilder &builder);

  /// Adds a variant that runs `plans` in order.
  void addVariant(int64_t minTokens, int64_t maxTokens, llvm::ArrayRef<OpPlan> plans);

  /// Drops the operands that kernels do not use: a launch must not look as if it read or wrote them.
  void dropUnusedOperands();

  tile::ProgramOp program() const { return program_; }

private:
  tile::ProgramOp program_;
  mlir::IRMapping memory_;
  llvm::StringMap<unsigned> names_;
};

} // namespace linmu
