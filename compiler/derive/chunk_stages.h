// The stages of a normal_scan on the tokens of one chunk.
#pragma once
#include "compiler/derive/loop_kernel.h"
#include "compiler/derive/state_chunk.h"
#include "compiler/derive/transition.h"

namespace linmu {

/// What a walk carries from chunk to chunk: the first `states` states of the scan, K x V each, and behind
/// them the tiles of the transitions of the last of these.
struct CarriedParts {
  unsigned states = 0;
  llvm::SmallVector<Transition> transitions = {};

  /// The position of the first tile of a transition.
  unsigned tileOf(unsigned transition) const;
  /// The transition of a state, or none.
  std::optional<unsigned> transitionOf(unsigned state) const;
};

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

  /// `carried` must be all states where outputs are wanted.
  ChunkStages(pattern::NormalScanOp scan, const LoopView &view, TileBuilder &builder, int64_t chunk,
              const CarriedParts &carried, Part part);

  /// What is carried, at the exit; of states their slice of columns where columns are split; nothing for the
  /// outputs alone.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> run(StepEmitter &step, mlir::ValueRange entering,
                                                      mlir::Value live);

  /// Gives a stage's chunk what was made of it before, if set.
  std::function<void(unsigned stage, StateChunk &)> take_prepared;

  llvm::SmallVector<mlir::Block *> blocks; ///< the stages, then `finish` where outputs are wanted
  /// After `run`: i1, whether the chunk must be walked token by token (StateChunk::remembersTooMuch), or
  /// null.
  mlir::Value must_walk;

private:
  bool isUsed(llvm::ArrayRef<mlir::Block *> later, unsigned argument);
  void bindResult(StepEmitter &step, llvm::ArrayRef<mlir::Block *> later, bool hasColumns,
                  llvm::function_ref<mlir::Value()> result);

  pattern::NormalScanOp scan_;
  const LoopView &view_;
  TileBuilder &builder_;
  int64_t chunk_;
  const CarriedParts &carried_;
  Part part_;
  unsigned bound_; ///< arguments that have a value
};

} // namespace linmu
