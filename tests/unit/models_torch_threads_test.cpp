#include "models/kernels/torch_threads.h"
#include <ATen/Parallel.h>
#include <atomic>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace linmu::models {
namespace {

/// As many threads as asked for, while one exists.
class Threads {
public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }

private:
  int before_;
};

TEST(TorchThreads, EachPartRunsOnceAndSeveralThreadsWork) {
  Threads threads(3);
  std::vector<std::atomic<int>> runs(100);
  std::set<std::thread::id> workers;
  std::mutex mutex;
  onTorchThreads(100, [&](std::int64_t part) {
    ++runs[std::size_t(part)];
    std::lock_guard lock(mutex);
    workers.insert(std::this_thread::get_id());
  });
  for (const auto &count : runs)
    EXPECT_EQ(count, 1);
  EXPECT_EQ(workers.size(), 3u);
  EXPECT_TRUE(workers.contains(std::this_thread::get_id()));
  onTorchThreads(0, [](std::int64_t) { FAIL(); });
}

TEST(TorchThreads, WorkWithinWorkStaysOnItsThread) {
  Threads threads(2);
  std::atomic<int> runs = 0;
  onTorchThreads(2, [&](std::int64_t) {
    const auto own = std::this_thread::get_id();
    onTorchThreads(4, [&](std::int64_t) {
      ++runs;
      EXPECT_EQ(std::this_thread::get_id(), own);
    });
  });
  EXPECT_EQ(runs, 8);
}

TEST(TorchThreads, AnExceptionComesBackWhenAllAreDone) {
  Threads threads(2);
  std::atomic<int> runs = 0;
  EXPECT_THROW(onTorchThreads(2,
                              [&](std::int64_t part) {
                                ++runs;
                                if (part == 1)
                                  throw std::runtime_error("of a part");
                              }),
               std::runtime_error);
  EXPECT_EQ(runs, 2);
}

} // namespace
} // namespace linmu::models
