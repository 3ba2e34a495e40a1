// What the kernels of scan, normal_scan and map share: operands, lags, tails.
#pragma once
#include "compiler/derive/program_builder.h"
#include "compiler/derive/step_emitter.h"
#include "compiler/derive/walk.h"

namespace linmu {

/// The operands and results of a scan, normal_scan or map, in one form; of a scan_adjoint all but its
/// cotangents, with the gradients as outputs and that of the initial state as a final state.
struct LoopView {
  mlir::Operation *op = nullptr;
  llvm::SmallVector<mlir::Value> params, tokens, tails, inits, outputs, finals, final_tails;
  mlir::Value order, sequences; ///< or null
  bool reverse = false;
  int64_t heads = 1;
  llvm::SmallVector<int64_t> tail_owners, init_owners;
  /// For each tail the token operand, tensor<?x?xi1>, that masks what it keeps, or null.
  llvm::SmallVector<mlir::Value> tail_masks;

  /// The op must be a scan, a normal_scan, a map or a scan_adjoint.
  static LoopView of(mlir::Operation *op);
  /// Position in `tails` of the tail of token operand `token`, or -1; likewise for states.
  int64_t tailOf(unsigned token) const;
  int64_t initOf(unsigned state) const;
  /// All operands and the results that have a use, in the order of a kernel's arguments.
  llvm::SmallVector<mlir::Value> memory() const;
};

/// A kernel under construction for a loop: its builder, its arguments and its walk.
class LoopKernel {
public:
  /// Starts the kernel; `walk` still lacks batch and head.
  LoopKernel(ProgramBuilder &program, const LoopView &view, llvm::StringRef name);

  /// The kernel's argument for an operand or result; null for a result without use.
  mlir::Value argument(mlir::Value value) const { return arguments_.lookupOrNull(value); }

  /// Another operand of the kernel, a value of the program.
  mlir::Value addMemory(mlir::Value memory);

  /// A grid of heads and sequences, or of slices of `columns` value columns out of `of`, heads and sequences;
  /// this block's place in it.
  void walkSequenceAndHead(ProgramBuilder &program, int64_t columns = 0, int64_t of = 0);
  /// Loads the params that `block` or any of the other blocks use.
  void loadParams();

  /// An emitter for the tokens at `positions`, with the params and tokens loaded and bound to the leading
  /// arguments of each of `blocks`.
  StepEmitter startStep(const TokenSpan &positions, llvm::ArrayRef<mlir::Block *> blocks);

  /// States [B, H, ...] at the start: the initial values, or zero.
  mlir::Value initialState(unsigned state);
  void storeState(unsigned state, mlir::Value value);
  /// Stores an f32 value of an output's rows, where the output has a use; with `sliced`, the slice's columns.
  /// What is the same for all slices is stored by the first.
  void storeOutput(mlir::Value output, mlir::Value value, mlir::Value rows, bool sliced = false);
  /// `body` in the block of the first slice of columns only.
  void inFirstSlice(llvm::function_ref<void()> body);
  /// The block of a scan that ends in its outputs, at the tokens of `positions`, for which `step` was
  /// started: computes them and stores them, or, with `kept`, stores what they are made of.
  mlir::LogicalResult finish(mlir::Block &block, StepEmitter &step, const TokenSpan &positions);

  /// Stores the final tails whose operand has as many heads as the loop: no other block uses these.
  void storeOwnTails();
  /// The others, and all with `all`, by a launch of their own after every read of the tails.
  void appendTailLaunches(ProgramBuilder &program, bool all, OpPlan &plan);

  /// Arguments of `finish` and the memory, f32 [B, N, H, ...], in which they are kept by position for a
  /// kernel that computes it. Empty where this kernel does.
  struct Kept {
    unsigned argument;
    mlir::Value memory;
  };
  llvm::SmallVector<Kept> kept;

  const LoopView &view;
  TileBuilder builder;
  Walk walk;
  ColumnSlice columns;
  LaunchPlan launch;

private:
  StepTile loadLag(pattern::LagOp lag, StepTile otherwise, const TokenSpan &positions, bool sliced);
  StepTile loadSlice(mlir::BlockArgument argument, const TokenSpan &positions, mlir::Value rows);
  StepTile loadLagOfToken(mlir::Value operand, mlir::Value tail, int64_t distance, StepTile otherwise,
                          mlir::Value position, const ColumnSlice &part);

  mlir::IRMapping arguments_;
  llvm::SmallVector<mlir::Value> params_;
};

} // namespace linmu
