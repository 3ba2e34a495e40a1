// Blocks of positions of all sequences at once: how a grid finds them.
//
// Sequences of a batch are equally long, so that a grid has a dimension for them. Those of a ragged batch
// share one: block i of sequence s lies at place cu[s] / size + s + i, and of N / size + S places no two
// blocks share one. Places behind a sequence's last block, at most one a sequence, are empty.
#pragma once
#include "compiler/derive/loop_kernel.h"

namespace linmu {

class SequenceBlocks {
public:
  /// Blocks of `size` positions of the sequences that a loop walks.
  SequenceBlocks(const LoopView &view, int64_t size) : view_(view), size_(size) {}

  /// The places of one sequence of a batch, or of a whole ragged batch.
  mlir::Value places(ProgramBuilder &program) const;
  /// A grid of heads, places and batch. Moves the kernel's walk to this block's sequence and head, and to
  /// where there is a block, and gives its number in its sequence. `places` is what places() gave, or null.
  mlir::Value enter(LoopKernel &kernel, ProgramBuilder &program, mlir::Value places = {}) const;
  /// The place of block `number` of the sequence that the kernel walks.
  mlir::Value placeOf(LoopKernel &kernel, mlir::Value number) const;

private:
  mlir::Value placeOf(TileBuilder &builder, mlir::Value begin, mlir::Value sequence) const;
  mlir::Value sequenceAt(LoopKernel &kernel, mlir::Value place) const;

  const LoopView &view_;
  int64_t size_;
};

} // namespace linmu
