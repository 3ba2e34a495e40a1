// Blocks that walk the tokens keep step with each other.
//
// A block of a scan walks all tokens of one head. Heads lie side by side in memory, so that one head after
// the other crosses every page once a head and uses a part of it only. The blocks that a thread is given are
// therefore walked together: a stretch of the tokens for each of them, then the next stretch. What a block
// carries from token to token waits in a slot of its own meanwhile; all else is computed anew for each
// stretch.
#pragma once
#include "compiler/target/cpu/lower/Kernel.h"

namespace linmu::cpu {

class TokenWalk {
public:
  using Value = mlir::Value;

  /// The stretch of the tokens that is being walked.
  struct Stretch {
    Value from, to;              ///< its tokens
    Value firstBlock, lastBlock; ///< that walk together, the last not included
    Value isFirst, isLast;       ///< i1
    Value slot;                  ///< of this block
  };

  explicit TokenWalk(Kernel &kernel) : kernel_(kernel) {}

  /// Opens the loops over blocks [first, last), and over stretches where `body` has a walk, and leaves the
  /// insertion point in the innermost. Sets the kernel's block.
  void openBlockLoops(Value first, Value last, Value workspace, mlir::Block &body);

  /// The loop over tokens, null where blocks run one after the other.
  mlir::scf::ForOp loop() const { return loop_; }
  bool is(mlir::scf::ForOp loop) const { return loop_ && loop == loop_; }
  const Stretch &stretch() const { return stretch_; }
  std::int64_t blocksTogether() const { return blocksTogether_; }

  /// The buffer of a tile that the walk carries.
  Buffer allocateSlot(mlir::Type tile, Layout layout);
  /// A carried scalar at the start of the stretch: `init` in the first one, then what its slot holds, which
  /// is added to `slots`.
  Value resumeScalar(Value init, llvm::SmallVectorImpl<Value> &slots);

private:
  mlir::scf::ForOp open(Value from, Value to, std::int64_t step);

  Kernel &kernel_;
  mlir::scf::ForOp loop_;
  Stretch stretch_;
  std::int64_t blocksTogether_ = 1;
};

} // namespace linmu::cpu
