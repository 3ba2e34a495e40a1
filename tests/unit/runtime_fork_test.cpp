// Compiling in threads and in forked children: fresh processes in which several threads compile at once, and
// children that are forked while others compile and launch.
#include "compiler/api/fork_guard.h"
#include "runtime/core/settings.h"
#include "runtime/jit/compile.h"
#include "tests/unit/growing_pattern.h"
#include "tests/unit/runtime_fixture.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <unistd.h>

extern char **environ;

namespace linmu::test {
namespace {

/// `./dev test --nightly` sets this.
bool nightly() { return std::getenv("TEST_NIGHTLY") != nullptr; }

Kernel compileNumber(int number) {
  CompileOptions options;
  options.use_disk_cache = false;
  // Texts differ by a constant, so that each is compiled and none is taken from memory.
  GrowingPattern pattern{"Scan", [&](int) {
                           return "    %c = arith.constant " + std::to_string(0.1 + number * 1e-6) +
                                  " : f32\n    %x1 = arith.mulf %x0, %c : f32\n" + written("%x1");
                         }};
  return compile(textOf(pattern, 1), options);
}

/// Runs the kernel on 200 tokens of 16 sequences on three threads; whether all that it wrote is finite.
bool runs(const Kernel &kernel) {
  constexpr std::int64_t batch = 16, tokens = 200, rows = batch * tokens;
  std::vector<float> x(rows * 16, 0.5f), g(rows, 1.0f), out(rows * 16, NAN);
  auto vectors = [&](std::vector<float> &data) { return view(data.data(), {batch, tokens, 1, 16}); };
  auto scalars = view(g.data(), {batch, tokens, 1});
  kernel(std::array{vectors(x), vectors(x), vectors(x), scalars, scalars}, std::array{vectors(out)}, {3});
  return std::all_of(out.begin(), out.end(), [](float value) { return std::isfinite(value); });
}

/// The CPU time of a process that has not been waited for, in ns.
std::int64_t cpuTimeOf(pid_t process) {
  clockid_t clock;
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0)
    return 0;
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// The wait status of a child; nothing, and the child is killed, where it hangs: a minute without CPU time,
/// or half an hour. Time is counted in naps of this process, so that a machine that stands still, or gives
/// its time to others, is none of it.
std::optional<int> statusOf(pid_t child) {
  using namespace std::chrono_literals;
  constexpr auto nap = 10ms;
  int status = -1;
  std::int64_t used = -1;
  auto idle = 0ms, all = 0ms;
  for (; idle < 60s && all < 30min; idle += nap, all += nap) {
    if (waitpid(child, &status, WNOHANG) == child)
      return status;
    if (std::int64_t now = cpuTimeOf(child); now != used)
      used = now, idle = 0ms;
    std::this_thread::sleep_for(nap);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return {};
}

/// Forks a child that runs `body` and ends with its answer; "" where that is true. A deadlock is an answer,
/// too.
template <typename Body> std::string inChild(Body &&body) {
  pid_t child = fork();
  if (child == 0)
    _exit(body() ? 0 : 1);
  std::optional<int> status = statusOf(child);
  if (!status)
    return "it hung";
  if (WIFSIGNALED(*status))
    return "it died of signal " + std::to_string(WTERMSIG(*status));
  return WEXITSTATUS(*status) == 0 ? "" : "its answer was no";
}

/// A thread that does something over and over while the object lives.
class Meanwhile {
public:
  explicit Meanwhile(std::function<void(int round)> work)
      : thread_([this, work = std::move(work)] {
          for (int round = 0; !ended_; ++round, ++rounds_)
            work(round);
        }) {
    while (rounds_ < 1)
      std::this_thread::yield();
  }
  ~Meanwhile() {
    ended_ = true;
    thread_.join();
  }
  int rounds() const { return rounds_; }

private:
  std::atomic<bool> ended_{false};
  std::atomic<int> rounds_{0};
  std::thread thread_;
};

TEST(ColdCompile, ThreadsOfAFreshProcessCompileAtOnce) {
  const int processes = nightly() ? 300 : 12;
  for (int process = 0; process < processes; ++process) {
    std::string program = LINMU_COLD_COMPILE_PROBE;
    char threads[] = "4", *arguments[] = {program.data(), threads, nullptr};
    pid_t child = -1;
    ASSERT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ), 0);
    std::optional<int> status = statusOf(child);
    ASSERT_TRUE(status) << "process " << process << " hangs";
    ASSERT_EQ(*status, 0) << "process " << process;
  }
}

TEST(Fork, WaitsForTheGuardsOfOtherThreadsAndNoLockIsHeldInTheChild) {
  std::mutex mutex;
  Meanwhile holder([&](int) {
    compiler::ForkGuard guard;
    std::lock_guard lock(mutex);
    compiler::ForkGuard nested;
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  });
  for (int repeat = 0; repeat < 50; ++repeat)
    ASSERT_EQ(inChild([&] { return mutex.try_lock(); }), "") << repeat;
}

TEST(Fork, FromSeveralThreadsAtOnceComesThrough) {
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  Meanwhile holder([&](int) { compiler::ForkGuard guard; });
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat)
        failed += !inChild([] {
                     compiler::ForkGuard guard;
                     return inChild([] { return true; }).empty(); // a child forks as well
                   }).empty();
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failed, 0);
}

TEST(Fork, DuringACompilationTheChildCompilesTheSameTextsAndOthersAndLaunches) {
  std::atomic<int> current{0};
  std::vector<std::unique_ptr<Meanwhile>> compilers;
  for (int thread = 0; thread < 2; ++thread)
    compilers.push_back(std::make_unique<Meanwhile>([&](int) { compileNumber(current++); }));
  const int forks = nightly() ? 100 : 6;
  for (int repeat = 0; repeat < forks; ++repeat) {
    const int others = 100000 + repeat;
    ASSERT_EQ(inChild([&] {
                for (int number : {current.load() - 1, current.load(), current.load() + 1, others})
                  if (!runs(compileNumber(number)))
                    return false;
                return true;
              }),
              "")
        << repeat;
  }
}

TEST(Fork, TheChildKeepsWhatItsParentHasCompiled) {
  Kernel kernel = compileNumber(200000);
  CompileStatistics before = compileStatistics();
  EXPECT_EQ(inChild([&] {
              Kernel again = compileNumber(200000);
              CompileStatistics after = compileStatistics();
              return after.compiled == before.compiled && after.memory_hits == before.memory_hits + 1 &&
                     runs(again);
            }),
            "");
}

TEST(Fork, WhileKernelsRunInThePoolTheChildLaunchesOnThreadsOfItsOwn) {
  Kernel kernel = compileNumber(300000);
  std::atomic<int> wrong{0};
  Meanwhile first([&](int) { wrong += !runs(kernel); }), second([&](int) { wrong += !runs(kernel); });
  for (int repeat = 0; repeat < (nightly() ? 300 : 50); ++repeat)
    ASSERT_EQ(inChild([&] { return runs(kernel) && runs(kernel); }), "") << repeat;
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(runs(kernel));
}

} // namespace
} // namespace linmu::test
