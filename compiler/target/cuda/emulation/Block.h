// One block: its threads as fibers, in random order, and what they share.
#pragma once
#include "compiler/target/cuda/emulation/Clocks.h"
#include "compiler/target/cuda/emulation/Fibers.h"
#include "compiler/target/cuda/emulation/Machine.h"
#include "compiler/target/cuda/emulation/Memory.h"
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

  std::uint32_t threadIndex() override { return current; }
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
  struct Thread {
    enum class State : std::uint8_t { ready, atWarpInstruction, atBarrier, ended };
    State state = State::ready;
    Where where; ///< of what it waits at
    std::uint32_t barrierId = 0;
    std::vector<std::vector<Copy>> groups = {
        std::vector<Copy>()}; ///< of copies in flight; the last is not committed yet
  };
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

  // Scheduling (Block.cpp).
  static void threadMain(void *context);
  void wait(Thread::State state, Where where);
  void wake(std::uint16_t thread);
  std::uint16_t takeReady();
  [[noreturn]] void fail(Outcome outcome, std::string message, Where where);
  [[noreturn]] void fail(const Fault &fault, Where where);
  void step(Where where);
  bool isLeftOut(Where ordering) const { return ordering.line == grid.withoutOrderingAt; }
  std::string deadlock() const;
  Actor actor(std::uint16_t thread, Where where, Proxy proxy = Proxy::generic) const;

  // Memory (BlockMemory.cpp).
  Memory &operand(GlobalPlace place, Where where);
  /// The live bytes, and zeros.
  std::array<std::byte, 16> readSource(const Copy &copy);
  void land(const Copy &copy);
  void matrices(WarpInstruction instruction, const Lanes &lanes, std::uint32_t warp, Where where);
  void loadMatrixRow(const Lanes &lanes, std::uint32_t warp, unsigned matrix, unsigned row, bool transposed,
                     bool sameKnowledge, Where where);

  const Grid &grid;
  Fibers &fibers;
  std::array<std::uint32_t, 3> index;
  std::uint32_t number; ///< of the block in its grid, from 1
  std::uint32_t random; ///< state of a generator (Marsaglia's xorshift)
  std::vector<std::byte> sharedBytes;
  Memory shared;
  Clocks clocks;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::array<Barrier, 16> barriers;
  std::vector<std::uint16_t> ready;
  std::uint16_t current = 0;
  std::uint32_t ended = 0;
  std::uint64_t steps = 0;
  Verdict verdict;
  const Kernel *kernel = nullptr;
  const void *const *arguments = nullptr;
  struct ThreadContext {
    Block *block;
    std::uint16_t thread;
  };
  std::vector<ThreadContext> contexts;
};

} // namespace linmu::emulation
