#include "compiler/api/fork_guard.h"
#include <atomic>
#include <cstdint>
#include <pthread.h>

namespace linmu::compiler {

namespace {

// One word: how many threads have a guard open, and whether a fork is under way. Neither a mutex nor a
// condition variable would do, since the child could not reset one that parent's threads wait on.
constexpr std::uint32_t forking = 1u << 31;
std::atomic<std::uint32_t> gate{0};

thread_local std::uint32_t depth = 0; // guards of this thread

/// This thread's part of the count.
std::uint32_t own() { return depth > 0 ? 1 : 0; }

/// Adds to the word once no fork is under way.
void enter(std::uint32_t addition) {
  for (std::uint32_t seen = gate.load();;) {
    if (seen & forking) {
      gate.wait(seen);
      seen = gate.load();
    } else if (gate.compare_exchange_weak(seen, seen + addition)) {
      return;
    }
  }
}

void beforeFork() {
  enter(forking);
  for (std::uint32_t seen = gate.load(); seen != (forking | own()); seen = gate.load())
    gate.wait(seen);
}

void afterForkInParent() {
  gate.fetch_and(~forking);
  gate.notify_all();
}

void afterForkInChild() { gate.store(own()); }

// When the library is loaded: a static of a function would be a lock itself.
[[maybe_unused]] const int registered = pthread_atfork(beforeFork, afterForkInParent, afterForkInChild);

} // namespace

ForkGuard::ForkGuard() {
  if (depth == 0)
    enter(1);
  ++depth;
}

ForkGuard::~ForkGuard() {
  if (--depth > 0)
    return;
  if (gate.fetch_sub(1) & forking)
    gate.notify_all();
}

} // namespace linmu::compiler
