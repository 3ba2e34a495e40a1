// The stages of a normal_scan on the tokens of one chunk.
#pragma once
#include "compiler/derive/loop_kernel.h"
#include "compiler/derive/state_chunk.h"

namespace linmu {

/// The stages of a normal_scan on the tokens of one chunk: binds to the blocks that follow what each state
/// reads and writes.
class ChunkStages {
public:
  /// What is wanted of a chunk.
  enum Part {
    all,
    exits,   ///< the states at the exit; outputs are not computed
    outputs, ///< what `finish` needs; the states at the exit are not computed
  };

  ChunkStages(pattern::NormalScanOp scan, const LoopView &view, TileBuilder &builder, int64_t chunk)
      : scan_(scan), view_(view), builder_(builder), chunk_(chunk),
        bound_(view.params.size() + view.tokens.size()) {
    for (mlir::Region &region : scan->getRegions())
      blocks.push_back(&region.front());
  }

  /// The states at the exit, K x V each, or their slice of columns; none for the outputs alone.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> run(StepEmitter &step, mlir::ValueRange states,
                                                      mlir::Value live, Part part);

  llvm::SmallVector<mlir::Block *> blocks; ///< the stages, then `finish`
  /// After `run`: i1, whether the chunk must be walked token by token (StateChunk::remembersTooMuch), or
  /// null.
  mlir::Value must_walk;

private:
  void bindResult(StepEmitter &step, llvm::ArrayRef<mlir::Block *> later, bool hasColumns,
                  llvm::function_ref<mlir::Value()> result);

  pattern::NormalScanOp scan_;
  const LoopView &view_;
  TileBuilder &builder_;
  int64_t chunk_;
  unsigned bound_; ///< arguments that have a value
};

} // namespace linmu
