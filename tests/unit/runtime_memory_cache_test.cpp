// What a process keeps of its kernels.
#include "runtime/jit/memory_cache.h"
#include "tests/unit/runtime_fixture.h"
#include <gtest/gtest.h>
#include <thread>

using namespace linmu;
using namespace linmu::test;
using linmu::jit::MemoryCache;

namespace {

constexpr std::int64_t unlimited = std::int64_t(1) << 40;

Kernel kernel() { return Kernel::open(addPackage()); }

/// Fills the slot of `key` as compile() does; whether it was empty.
bool ask(MemoryCache &cache, const std::string &key, std::int64_t limit) {
  auto slot = cache.slot(key, limit);
  std::lock_guard lock(slot->mutex);
  if (slot->content)
    return false;
  slot->content = kernel();
  cache.filled(key, *slot->content, limit);
  return true;
}

std::int64_t bytesOfOne() {
  MemoryCache cache;
  ask(cache, "a", unlimited);
  return cache.bytes();
}

TEST(MemoryCache, ForgetsWhatWasAskedForLongestAgo) {
  MemoryCache cache;
  const std::int64_t limit = 3 * bytesOfOne();
  for (const char *key : {"a", "b", "c"})
    EXPECT_TRUE(ask(cache, key, limit));
  EXPECT_FALSE(ask(cache, "a", limit));
  EXPECT_TRUE(ask(cache, "d", limit));
  for (const char *key : {"d", "a", "c"})
    EXPECT_FALSE(ask(cache, key, limit)) << key;
  EXPECT_TRUE(ask(cache, "b", limit));
}

TEST(MemoryCache, StaysWithinItsBytesHoweverManyTextsCome) {
  MemoryCache cache;
  const std::int64_t limit = 1 << 20;
  for (int i = 0; i < 2000; ++i) {
    ask(cache, std::string(std::size_t(i % 7) * 1000, 'x') + std::to_string(i), limit);
    cache.slot("another", limit); // with what was filled no longer held
    ASSERT_LE(cache.bytes(), limit) << i;
  }
  EXPECT_GT(cache.bytes(), limit / 2);
}

TEST(MemoryCache, TextsThatDidNotCompileAreForgottenToo) {
  MemoryCache cache;
  for (int i = 0; i < 2000; ++i)
    cache.slot(std::string(10000, 'x') + std::to_string(i), 1 << 20);
  EXPECT_LE(cache.bytes(), 1 << 20);
}

TEST(MemoryCache, KeepsTheSlotThatSomebodyHolds) {
  MemoryCache cache;
  auto held = cache.slot("a", 0);
  for (int i = 0; i < 10; ++i)
    ask(cache, std::to_string(i), 0);
  EXPECT_EQ(cache.slot("a", 0), held);
  held.reset();
  ask(cache, "b", 0);
  EXPECT_TRUE(ask(cache, "a", 0));
}

TEST(MemoryCache, AKernelThatIsForgottenStillRuns) {
  MemoryCache cache;
  ask(cache, "a", unlimited);
  Kernel kept = *cache.slot("a", unlimited)->content;
  ask(cache, "b", 0);
  cache.slot("c", 0);
  EXPECT_TRUE(ask(cache, "a", 0));
  std::vector<float> x(12, 1.0f), y(12, 2.0f), out(12);
  kept(std::array{view(x.data(), {1, 1, 3, 4}), view(y.data(), {1, 1, 3, 4})},
       std::array{view(out.data(), {1, 1, 3, 4})});
  EXPECT_EQ(out, std::vector<float>(12, 3.0f));
}

TEST(MemoryCache, ManyThreadsAtTheLimitSeeOneSlotAKeyAndTheBytesAddUp) {
  MemoryCache cache;
  const std::int64_t limit = 5 * bytesOfOne();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i)
        ask(cache, std::to_string((i * 7 + thread) % 9), limit);
    });
  for (std::thread &thread : threads)
    thread.join();
  cache.slot("last", 0);
  cache.slot("last", 0);
  EXPECT_LE(cache.bytes(), 1000); // the last key alone
}

} // namespace
