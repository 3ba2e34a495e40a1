// The threads of a block, which take turns where they wait. Which goes on is drawn.
#pragma once
#include "compiler/target/cuda/emulation/Fibers.h"
#include "compiler/target/cuda/emulation/Machine.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace linmu::emulation {

class Scheduler {
public:
  /// `random` is the state of a generator (Marsaglia's xorshift), other than 0.
  Scheduler(Fibers &fibers, std::uint32_t threads, std::uint32_t random);
  Scheduler(const Scheduler &) = delete;

  /// Has every thread do this, until all have ended, none can go on, or one leaves.
  void run(std::function<void()> body);
  /// The thread whose turn it is.
  std::uint16_t current() const { return turn; }

  // Of the thread whose turn it is.
  void waitForLanes(Where where) { wait(State::atWarpInstruction, where); }
  void waitAtBarrier(std::uint32_t id, Where where);
  /// Ends the run; the thread does not go on.
  [[noreturn]] void leave();

  /// Lets a thread that waits go on.
  void wake(std::uint16_t thread);
  /// Where a thread waits or has waited last.
  Where whereOf(std::uint32_t thread) const { return threads[thread].where; }

  std::uint32_t ended() const { return endedThreads; }
  /// Where the first thread that has not ended waits.
  Where stuck() const;
  /// The threads that wait, by place; `arrivals` says who has come to a barrier.
  std::string waiting(const std::function<std::string(std::uint32_t barrier)> &arrivals) const;

private:
  enum class State : std::uint8_t { ready, atWarpInstruction, atBarrier, ended };
  struct Thread {
    State state = State::ready;
    Where where; ///< of what it waits at
    std::uint32_t barrier = 0;
  };
  struct Context {
    Scheduler *scheduler;
    std::uint16_t thread;
  };
  static void threadMain(void *context);
  void wait(State state, Where where);
  std::uint16_t takeReady();

  Fibers &fibers;
  std::uint32_t random;
  std::vector<Thread> threads;
  std::vector<Context> contexts;
  std::function<void()> body;
  std::vector<std::uint16_t> ready;
  std::uint16_t turn = 0;
  std::uint32_t endedThreads = 0;
};

} // namespace linmu::emulation
