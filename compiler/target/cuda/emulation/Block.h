// One block: its threads, in random order, and what they share.
#pragma once
#include "compiler/target/cuda/emulation/Clocks.h"
#include "compiler/target/cuda/emulation/Machine.h"
#include "compiler/target/cuda/emulation/Memory.h"
#include "compiler/target/cuda/emulation/Scheduler.h"
#include "compiler/target/cuda/emulation/Verdict.h"
#include "compiler/target/cuda/emulation/WarpInstructions.h"
#include <array>
#include <cstdint>
#include <vector>

namespace linmu::emulation {

/// What blocks of one launch have in common.
struct Grid {
  std::array<std::uint32_t, 3> blocks = {1, 1, 1};
  std::uint32_t threads = 32;     ///< a multiple of 32, at most 1024
  std::size_t sharedBytes = 0;    ///< of dynamic shared memory
  unsigned architecture = 90;     ///< 80, 86, 89, 90, 100, 120
  std::vector<Memory *> operands; ///< by buffer number
  std::uint64_t mostSteps = 0;    ///< of each block: calls of the prelude
  int withoutOrderingAt = 0;      ///< the line of an ordering that has no effect
};

class Block final : public Machine {
public:
  Block(const Grid &grid, Fibers &fibers, std::array<std::uint32_t, 3> index, std::uint64_t seed);

  /// Runs the kernel to its end, or to the first fault.
  Verdict run(const Kernel &kernel, const void *const *arguments);

  std::uint32_t threadIndex() override { return threads.current(); }
  std::uint32_t blockIndex(int dimension) override { return index[static_cast<std::size_t>(dimension)]; }
  std::uint32_t blockCount(int dimension) override {
    return grid.blocks[static_cast<std::size_t>(dimension)];
  }
  void accessGlobal(MemoryOp op, void *registers, GlobalPlace place, std::uint32_t bytes,
                    Where where) override;
  void accessShared(MemoryOp op, void *registers, std::uint32_t address, std::uint32_t bytes,
                    Where where) override;
  void copyAsync(std::uint32_t to, GlobalPlace from, std::uint32_t bytes, std::uint32_t live,
                 Where where) override;
  void copyCommit(Where where) override;
  void copyWait(std::uint32_t pending, Where where) override;
  void warp(WarpInstruction instruction, Lane &lane, Where where) override;
  bool barrier(std::uint32_t id, std::uint32_t threads, bool wait, bool condition, Where where) override;
  void fenceProxyAsync(Where where) override;

private:
  struct Copy {
    std::uint32_t to;
    GlobalPlace from;
    std::uint32_t bytes, live;
    Where where;
  };
  /// Of one thread, in flight; the last group is not committed yet.
  using CopyGroups = std::vector<std::vector<Copy>>;
  struct Warp {
    WarpInstruction instruction{};
    Lanes lanes{};
    unsigned arrived = 0, firstLane = 0;
  };
  struct Barrier {
    Clocks::Meeting meeting;
    std::vector<std::uint16_t> waiting;
    struct Arrivals {
      std::uint32_t lanes = 0;
      int line = 0; ///< of the first
    };
    std::vector<Arrivals> ofWarp;
    std::uint32_t expected = 0, arrived = 0;
    bool condition = false, result = false;
  };

  [[noreturn]] void fail(Outcome outcome, std::string message, Where where);
  [[noreturn]] void fail(const Fault &fault, Where where);
  void step(Where where);
  bool isLeftOut(Where ordering) const { return ordering.line == grid.withoutOrderingAt; }
  /// The thread whose turn it is, through the generic proxy.
  Actor actor(Where where) const;

  // Memory (BlockMemory.cpp).
  Memory &operand(GlobalPlace place, Where where);
  /// The live bytes, and zeros.
  std::array<std::byte, 16> readSource(const Copy &copy);

  const Grid &grid;
  std::array<std::uint32_t, 3> index;
  std::uint32_t number; ///< of the block in its grid, from 1
  std::vector<std::byte> sharedBytes;
  Memory shared;
  Clocks clocks;
  Scheduler threads;
  std::vector<CopyGroups> copies; ///< by thread
  std::vector<Warp> warps;
  std::array<Barrier, 16> barriers;
  std::uint64_t steps = 0;
  Verdict verdict;
};

} // namespace linmu::emulation
