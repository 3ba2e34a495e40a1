#include "runtime/core/thread_pool.h"
#include "runtime/core/error.h"
#include "runtime/core/scratch_buffer.h"
#include "runtime/core/subnormals.h"
#include <algorithm>
#include <pthread.h>
#include <string>
#include <system_error>
#include <thread>

namespace linmu {

namespace {

// About 10 to 20 us of pauses: the gap between two launches of one decode step.
constexpr int spins_before_sleep = 500;

// Blocks differ in cost, so each thread comes back for more about eight times.
constexpr std::int64_t turns_per_thread = 8;

std::atomic<ThreadPool *> the_pool{nullptr};

// The threads do not survive a fork: the child forgets the parent's pool, in whatever state it was.
// Registered when the program starts, since a static of a function would be a lock that another thread may
// hold then.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { the_pool.store(nullptr); });

thread_local ScratchBuffer workspace_buffer;

/// How many turns the blocks are taken in, each thread some. Blocks that gain from each other come in as few
/// as their number together and an equal share for each thread allow; others in so many that blocks of unlike
/// cost even out. Where some blocks may be most of the work, as those of one long sequence among many short
/// ones, each thread has a turn at them.
std::int64_t turnsOf(const BlockWork &work, int threads) {
  std::int64_t turns = threads * turns_per_thread;
  if (work.blocks_together > 1) {
    std::int64_t at_once = threads * work.blocks_together;
    turns = threads * ((work.blocks + at_once - 1) / at_once);
  }
  if (work.blocks_alike > 0) {
    std::int64_t most = (work.blocks_alike + threads - 1) / threads;
    turns = std::max(turns, (work.blocks + most - 1) / most);
  }
  return std::min(turns, work.blocks);
}

void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

std::byte *ownWorkspace(std::int64_t bytes) {
  std::byte *workspace = workspace_buffer.require(bytes);
  if (bytes > 0 && !workspace)
    throw Error(ErrorCode::io,
                "cannot allocate " + std::to_string(bytes) + " bytes of workspace for a kernel");
  return workspace;
}

} // namespace

ThreadPool &ThreadPool::instance() {
  if (ThreadPool *pool = the_pool.load(std::memory_order_acquire))
    return *pool;
  auto *created = new ThreadPool;
  ThreadPool *expected = nullptr;
  if (the_pool.compare_exchange_strong(expected, created))
    return *created;
  delete created;
  return *expected;
}

void ThreadPool::startWorkers(int count) {
  while (workers_ < count) {
    try {
      std::thread([this, index = workers_, seen = epoch_.load()] { workerLoop(index, seen); }).detach();
    } catch (const std::system_error &) {
      return; // the launch runs on the threads that there are
    }
    ++workers_;
  }
}

void ThreadPool::workerLoop(int index, std::uint32_t seen) {
  for (;;) {
    for (int spin = 0; spin < spins_before_sleep && epoch_.load(std::memory_order_relaxed) == seen; ++spin)
      pauseBriefly();
    epoch_.wait(seen);
    seen = epoch_.load();
    // Entering first and looking second: either the caller sees this worker inside and waits for it, or
    // the worker sees the job closed.
    active_.fetch_add(1);
    if (open_.load() && index < participants_) {
      std::byte *workspace = workspace_buffer.require(work_.workspace_bytes);
      if (workspace || work_.workspace_bytes == 0) // without memory the other threads run the blocks
        takeBlocks(workspace);
    }
    if (active_.fetch_sub(1) == 1)
      active_.notify_all();
  }
}

std::int64_t ThreadPool::takeBlocks(std::byte *workspace) {
  SubnormalsAsZero scope;
  std::int64_t taken = 0;
  for (;;) {
    std::int64_t turn = next_turn_.fetch_add(1, std::memory_order_relaxed);
    if (turn >= turns_)
      return taken;
    // Shares differ by one block at most.
    std::int64_t share = work_.blocks / turns_, larger = work_.blocks % turns_;
    std::int64_t first = turn * share + std::min(turn, larger);
    std::int64_t last = first + share + (turn < larger ? 1 : 0);
    work_.function(work_.arguments, first, last, workspace);
    taken += last - first;
  }
}

std::int64_t ThreadPool::run(const BlockWork &work, int threads) {
  if (work.blocks <= 0)
    return 0;
  std::byte *workspace = ownWorkspace(work.workspace_bytes);
  int wanted = int(std::min<std::int64_t>(threads, work.blocks));
  std::unique_lock lock(busy_, std::defer_lock);
  if (wanted <= 1 || !lock.try_lock()) {
    SubnormalsAsZero scope;
    work.function(work.arguments, 0, work.blocks, workspace);
    return work.blocks;
  }
  startWorkers(wanted - 1);
  work_ = work;
  participants_ = wanted - 1;
  turns_ = turnsOf(work, wanted);
  next_turn_.store(0);
  open_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();

  std::int64_t taken = takeBlocks(workspace);
  open_.store(false);
  for (int spin = 0; spin < spins_before_sleep && active_.load() != 0; ++spin)
    pauseBriefly();
  for (int inside = active_.load(); inside != 0; inside = active_.load())
    active_.wait(inside);
  return taken;
}

} // namespace linmu
