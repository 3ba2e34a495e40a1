// What a walk over chunks needs of each chunk and no state has a part in: the scores, and the inverse of the
// system of writes with feedback. A launch before the walk makes it for all chunks at once, once for all
// slices of columns.
#pragma once
#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/sequence_blocks.h"

namespace linmu {

class PreparedChunks {
public:
  /// A state of which it is made: its stage, its form, and the reads whose scores a walk needs.
  struct State {
    mlir::Block *stage;
    pattern::FormOp form;
    llvm::SmallVector<int64_t> reads;
  };
  PreparedChunks(llvm::ArrayRef<State> states, const LoopView &view, int64_t chunk, ProgramBuilder &program);
  /// Of the states of a scan for which `isPrepared` holds.
  PreparedChunks(pattern::NormalScanOp scan, const LoopView &view, int64_t chunk, ProgramBuilder &program);

  /// Whether the state of a stage has feedback, is not coupled, and its stage uses nothing that other states
  /// read or write.
  static bool isPrepared(pattern::NormalScanOp scan, unsigned stage);

  /// The launch that makes all of it.
  mlir::FailureOr<LaunchPlan> derive(ProgramBuilder &program);
  /// Has the walk take it from memory.
  void addTo(ScanKernel &walk);
  /// Gives a chunk, by its first token, what was made of it.
  using Take = std::function<void(mlir::Value first, StateChunk &)>;
  /// The same in any kernel that walks the sequences, of a state by its place among those here. The kernel
  /// must outlive it.
  Take takeIn(LoopKernel &kernel, size_t state);

private:
  struct Prepared {
    State state;
    llvm::SmallVector<mlir::Value>
        memory; ///< f32 [B, C x chunks, H, ...], a value of the program for each tile
  };
  /// This chunk's rows in memory, as indices of loads and stores.
  llvm::SmallVector<mlir::Value> placeOf(LoopKernel &kernel, mlir::Value chunk);

  const LoopView &view_;
  SequenceBlocks blocks_;
  int64_t chunk_;
  mlir::Value places_;                  ///< of chunks
  llvm::SmallVector<unsigned> numbers_; ///< of the states in their scan
  llvm::SmallVector<Prepared> prepared_;
};

} // namespace linmu
