// Prefetches, spread over the products of the same block.
//
// A core keeps few cache misses in flight. Asked for at once, the rows of a whole chunk fill that queue, and
// the core's own work waits behind them; asked for line by line between the steps of a product, they arrive
// while it computes. So a prefetch is kept back where it stands, and each loop nest that computes products
// takes the share that its products have of the work left in the block.
#pragma once
#include "compiler/target/cpu/lower/NextIteration.h"
#include "llvm/ADT/DenseSet.h"

namespace linmu::cpu {

/// Multiplications of the products that stand in a block.
std::int64_t workOf(mlir::Block &body);
/// Those of the products that computing blocks of `tile` repeats; what it uses twice is computed once.
std::int64_t inlinedWork(const Kernel &kernel, mlir::Value tile);

class Prefetcher {
public:
  using Value = mlir::Value;

  /// Rows that wait to be asked for: `lines` cache lines of which `taken` are in the shares of loop nests.
  struct Rows {
    Value addresses; ///< a buffer of i64, one a row
    std::int64_t linesPerRow, lines, taken;
  };
  /// Lines [first, first + lines): `perBlock` with every block of a nest, or one with each `every`-th.
  struct Share {
    Rows rows;
    std::int64_t first, lines, perBlock, every;
    /// Lines that go with each block, none where most blocks go without.
    std::int64_t linesOfEachBlock() const { return every == 1 ? perBlock : 0; }
  };
  using Shares = llvm::SmallVector<Share>;

  Prefetcher(Kernel &kernel, NextIteration &next) : kernel_(kernel), emit_(kernel.emit), next_(next) {}

  /// Takes in what marked loads and stores of a loop's body touch in the next iteration. Elements are asked
  /// for at once: heads share their lines. Rows wait, as addresses.
  void collect(mlir::Block &body);
  /// What a loop nest of `blocks` register blocks takes that computes `tile`.
  Shares take(Value tile, std::int64_t blocks);
  /// Asks for what no product took.
  void flush();

  /// The shares of the register block that is being computed, number `number` of its nest.
  void enterBlock(const Shares &shares, Value number);
  /// Of them, those that are left; a product that asks for lines between its steps takes them out.
  Shares &left() { return left_; }
  /// Asks for one line of those that go with the block.
  void ask(const Share &share, Value number) { askWith(share, blockNumber_, number); }
  /// Asks for all lines that are left, at once.
  void leaveBlock();

  /// Asks for the line of an address.
  void prefetch(Value address);

private:
  void askWith(const Share &share, Value block, Value number);
  void askForLine(const Rows &rows, Value line);

  Kernel &kernel_;
  Emit &emit_;
  NextIteration &next_;
  llvm::SmallVector<Rows> waiting_;
  std::int64_t workLeft_ = 0; ///< multiplications of the block's products that are still to be lowered
  Shares left_;
  Value blockNumber_;
};

} // namespace linmu::cpu
