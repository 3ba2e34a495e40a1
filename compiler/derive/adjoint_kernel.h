// A kernel on the tokens of a scan whose gradients are wanted: what its form says of them, and what is sent
// back.
#pragma once
#include "compiler/derive/adjoint_chunk.h"
#include "compiler/derive/loop_kernel.h"
#include "compiler/derive/stored_state.h"

namespace linmu {

class AdjointKernel {
public:
  /// Works on `together` tokens at once. `view` is that of `op`.
  AdjointKernel(pattern::ScanAdjointOp op, const LoopView &view, ProgramBuilder &program,
                llvm::StringRef name, int64_t together)
      : kernel(program, view, name), stored(op.getStateSlice(), op.getForm().getKeyAxis()), op_(op),
        form_(op.getForm()), program_(program), together_(together) {}

  /// The tokens from `first` on.
  TokenSpan tokensAt(mlir::Value first) {
    return {first, together_, kernel.builder.subtract(kernel.walk.tokens, first)};
  }
  /// What the stage gives for these tokens; of the value columns, the kernel's slice.
  mlir::FailureOr<ChunkInputs> inputs(const TokenSpan &tokens);
  /// What is sent back to their reads and writes, in the same columns.
  ChunkCotangents cotangents(const TokenSpan &tokens);
  /// Both, in the algebra of their chunk, or null after an error; `states` may be empty (AdjointChunk).
  std::unique_ptr<AdjointChunk> chunk(const TokenSpan &tokens, mlir::ValueRange states,
                                      mlir::ValueRange adjoints);
  /// Stores all gradients that have a use.
  void storeGradients(AdjointChunk &chunk, const TokenSpan &tokens);
  /// The states at the start, one or the coupled ones, and what is sent back to them at the end; zero where
  /// there is none.
  llvm::SmallVector<mlir::Value> initialStates();
  llvm::SmallVector<mlir::Value> finalCotangents();
  void storeInitGradients(mlir::ValueRange adjoints);

  LoopKernel kernel;
  StoredState stored;

private:
  mlir::Value cotangent(mlir::Value memory, mlir::Value rows);

  pattern::ScanAdjointOp op_;
  pattern::FormOp form_;
  ProgramBuilder &program_;
  int64_t together_;
  llvm::DenseMap<mlir::Value, mlir::Value> cotangents_; ///< the kernel's arguments
};

} // namespace linmu
