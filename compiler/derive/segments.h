// Segments of the tokens of each sequence, which blocks walk at the same time.
#pragma once
#include "compiler/derive/loop_kernel.h"

namespace linmu {

class Segments {
public:
  /// `count` segments in whole chunks of `chunk` tokens of the sequences that a loop walks.
  Segments(const LoopView &view, int64_t chunk, int64_t count) : view_(view), chunk_(chunk), count_(count) {}

  /// A grid of heads, segments and sequences; gives this block's segment.
  mlir::Value placeInGrid(LoopKernel &kernel, ProgramBuilder &program) const;
  /// Tokens of a segment, in whole chunks and at least one.
  mlir::Value lengthOf(LoopKernel &kernel) const;
  /// Segments with tokens, of this length.
  mlir::Value countOf(LoopKernel &kernel, mlir::Value length) const;
  /// The tokens of a segment; behind the end of the sequence `end` comes before `first`.
  struct Tokens {
    mlir::Value first, end;
  };
  Tokens tokensOf(LoopKernel &kernel, mlir::Value segment) const;

private:
  const LoopView &view_;
  int64_t chunk_, count_;
};

} // namespace linmu
