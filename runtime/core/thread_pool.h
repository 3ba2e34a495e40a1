// Runs the blocks of a kernel on several threads.
#pragma once
#include "runtime/core/code_image.h"
#include <atomic>
#include <cstdint>
#include <mutex>

namespace linmu {

struct BlockWork {
  KernelFunction function = nullptr;
  void *const *arguments = nullptr;
  std::int64_t blocks = 0;
  std::int64_t workspace_bytes = 0;
  std::int64_t blocks_together = 1; ///< as in Launch
  /// Where blocks are of unlike cost: so many that follow each other are alike, and are shared out among the
  /// threads. 0 elsewhere.
  std::int64_t blocks_alike = 0;
};

/// Persistent workers that take ranges of blocks from a counter; the calling thread takes part. Workers spin
/// for some microseconds after a launch and sleep after that. One launch at a time uses the workers: a
/// second caller runs its blocks alone meanwhile. The workers are never joined, so that nothing can hang at
/// exit, and a forked child starts workers of its own.
class ThreadPool {
public:
  static ThreadPool &instance();

  /// Runs every block of `work` on at most `threads` threads and returns how many of them this thread ran.
  /// Throws Error(io) before any block if this thread cannot have its workspace.
  std::int64_t run(const BlockWork &work, int threads);

private:
  ThreadPool() = default;
  void startWorkers(int count);
  void workerLoop(int index, std::uint32_t seen);
  std::int64_t takeBlocks(std::byte *workspace);

  std::mutex busy_;
  int workers_ = 0;

  // One job. Its plain fields change only while no worker is inside (`active_` is 0 and `open_` false).
  BlockWork work_;
  std::int64_t turns_ = 1;
  int participants_ = 0;
  alignas(64) std::atomic<std::int64_t> next_turn_{0};
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  std::atomic<bool> open_{false};
  alignas(64) std::atomic<int> active_{0};
};

} // namespace linmu
