// Builds a tile.program around the kernels that pattern ops become.
#pragma once
#include "compiler/derive/op_schedule.h"
#include "compiler/tile/tile_builder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace linmu {

/// One launch of a kernel; all values stand in the program's block.
struct LaunchPlan {
  std::string kernel;
  llvm::SmallVector<mlir::Value> grid; ///< blocks of each dimension
  llvm::SmallVector<mlir::Value> operands;
};

/// What one pattern op becomes under one algorithm.
struct OpPlan {
  OpSchedule schedule;
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
  /// Another operand of a kernel under construction, a value of the program: the kernel's argument.
  static mlir::Value addMemory(LaunchPlan &launch, TileBuilder &builder, mlir::Value memory);

  /// Expressions of the program: the extents of a call, and arithmetic on them.
  mlir::Value batch() { return extent(tile::ExtentKind::batch); }
  mlir::Value tokens() { return extent(tile::ExtentKind::tokens); }
  mlir::Value sequences() { return extent(tile::ExtentKind::sequences); }
  /// The sequences that a loop with this table of a ragged batch walks: the batch where it is null.
  mlir::Value sequencesOf(mlir::Value table) { return table ? extent(tile::ExtentKind::sequences) : batch(); }
  /// The extent of axis 0 of states of the function: the sequences where a loop walks those of a ragged
  /// batch.
  mlir::Value batchOfStates() { return sequencesOf(table_); }
  /// The tokens of the longest sequence of a ragged batch.
  mlir::Value longestSequence() { return extent(tile::ExtentKind::longest_sequence); }
  mlir::Value constant(int64_t value);
  /// Any other op on such values (program_expressions.h).
  template <typename Op, typename... Arguments> mlir::Value express(Arguments &&...arguments) {
    mlir::ImplicitLocOpBuilder builder = behindExpressions();
    auto op = Op::create(builder, std::forward<Arguments>(arguments)...);
    lastExpression_ = op;
    return op->getResult(0);
  }

  /// A tensor between two launches, with its dynamic extents.
  mlir::Value temporary(mlir::RankedTensorType type, mlir::ValueRange extents);

  /// Adds a variant that runs `plans` in order, where `condition` holds and no earlier variant runs; without
  /// one, wherever no earlier variant runs.
  void addVariant(mlir::Value condition, llvm::ArrayRef<OpPlan> plans);

  /// Drops the operands that kernels do not use: a launch must not look as if it read or wrote them.
  void dropUnusedOperands();

  tile::ProgramOp program() const { return program_; }

private:
  mlir::Value extent(tile::ExtentKind kind);
  mlir::Value temporaryOf(mlir::OpResult result);
  mlir::ImplicitLocOpBuilder behindExpressions();

  tile::ProgramOp program_;
  mlir::Operation *lastExpression_ = nullptr;
  mlir::Value table_; ///< of the sequences that some loop walks, or null
  mlir::IRMapping memory_;
  llvm::StringMap<unsigned> names_;
};

} // namespace linmu
