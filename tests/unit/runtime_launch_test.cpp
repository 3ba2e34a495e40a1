#include "quiet_moment.h"
#include "runtime/core/cpu_features.h"
#include "runtime/core/kernel.h"
#include "runtime/core/settings.h"
#include "runtime/core/thread_pool.h"
#include "tests/unit/runtime_fixture.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <numeric>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace linmu;
using namespace linmu::test;

namespace {

TEST(Launch, WritesTheResultInPlaceThroughStrides) {
  // x and y are views of one fused tensor [B=2, N=3, 2 * 3, 4]: no copies.
  std::vector<float> fused(2 * 3 * 6 * 4), out(2 * 3 * 3 * 4);
  std::iota(fused.begin(), fused.end(), 0.0f);
  TensorView x = view(fused.data(), {2, 3, 6, 4});
  x.sizes[2] = 3;
  TensorView y = x;
  y.data = fused.data() + 12;
  Kernel::open(addPackage())(std::array{x, y}, std::array{view(out.data(), {2, 3, 3, 4})});
  for (int row = 0; row < 6; ++row)
    for (int i = 0; i < 12; ++i)
      ASSERT_EQ(out[row * 12 + i], fused[row * 24 + i] + fused[row * 24 + 12 + i]) << row << " " << i;
}

TEST(Launch, ABatchOfOneBroadcasts) {
  std::vector<float> x(3 * 2 * 12), y(2 * 12), out(3 * 2 * 12);
  std::iota(x.begin(), x.end(), 0.0f);
  std::iota(y.begin(), y.end(), 1000.0f);
  Kernel kernel = Kernel::open(addPackage());
  TensorView many = view(x.data(), {3, 2, 3, 4}), one = view(y.data(), {1, 2, 3, 4});
  for (bool one_first : {false, true}) {
    std::fill(out.begin(), out.end(), -1.0f);
    kernel(std::array{one_first ? one : many, one_first ? many : one},
           std::array{view(out.data(), {3, 2, 3, 4})});
    for (std::size_t i = 0; i < out.size(); ++i)
      ASSERT_EQ(out[i], x[i] + y[i % 24]) << i;
  }
}

TEST(Launch, NoTokensAndNoBatchAreValidAndNeedNoData) {
  Kernel kernel = Kernel::open(addPackage());
  kernel(std::array{view(nullptr, {1, 0, 3, 4}), view(nullptr, {1, 0, 3, 4})},
         std::array{view(nullptr, {1, 0, 3, 4})});
  kernel(std::array{view(nullptr, {0, 5, 3, 4}), view(nullptr, {0, 5, 3, 4})},
         std::array{view(nullptr, {0, 5, 3, 4})});
}

TEST(Launch, LaunchesOfAVariantShareATemporaryOfChunks) {
  Kernel kernel = Kernel::open(totalPackage());
  for (std::int64_t tokens : {0, 1, 3, 4, 5, 8, 63, 1025}) {
    std::vector<float> x(std::size_t(2 * tokens)), out(2, -1.0f);
    std::iota(x.begin(), x.end(), 1.0f);
    for (int threads : {1, 2, 5}) {
      kernel(std::array{view(x.data(), {2, tokens, 1, 1})}, std::array{view(out.data(), {2, 1, 1, 1})},
             {threads});
      std::int64_t sum = tokens * (tokens + 1) / 2;
      auto first = float(sum);
      ASSERT_EQ(out[0], first) << tokens;
      ASSERT_EQ(out[1], first + float(tokens * tokens)) << tokens;
    }
  }
}

TEST(Launch, TheVariantIsChosenByLength) {
  Kernel kernel = Kernel::open(totalPackage());
  EXPECT_EQ(kernel.algorithm(7), "also two");
  EXPECT_EQ(kernel.algorithm(8), "two launches");
  EXPECT_STREQ(errorOf([&] { (void)kernel.algorithm(-1); }).what(),
               "pattern 'total': expected 0 or more tokens, got -1");
}

TEST(Launch, EachBlockRunsExactlyOnceForEveryThreadCount) {
  Kernel kernel = Kernel::open(resultOnlyPackage("mark"));
  for (int threads : {1, 2, 3, 8})
    for (std::int64_t tokens : {1, 2, 7, 64, 1001, 20000})
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<float> out(std::size_t(tokens), 0.0f);
        kernel({}, std::array{view(out.data(), {1, tokens, 1, 1})}, {threads});
        ASSERT_EQ(std::count(out.begin(), out.end(), 1.0f), tokens) << threads;
      }
}

TEST(Launch, EachBlockRunsExactlyOnceWhereBlocksRunTogether) {
  for (std::int64_t together : {2, 5, 16}) {
    Package package = resultOnlyPackage("mark");
    package.variants[0].launches[0].blocks_together = together;
    Kernel kernel = Kernel::open(package);
    for (int threads : {1, 2, 3, 8})
      for (std::int64_t tokens : {1, 2, 9, 12, 28, 1001}) {
        std::vector<float> out(std::size_t(tokens), 0.0f);
        kernel({}, std::array{view(out.data(), {1, tokens, 1, 1})}, {threads});
        ASSERT_EQ(std::count(out.begin(), out.end(), 1.0f), tokens) << threads << " threads, " << together;
      }
  }
}

/// The ranges of blocks that were run at once.
std::mutex turns_mutex;
std::vector<std::pair<std::int64_t, std::int64_t>> turns;
void recordTurn(void *const *, std::int64_t first, std::int64_t last, std::byte *) {
  std::lock_guard lock(turns_mutex);
  turns.emplace_back(first, last);
}

TEST(Launch, EachThreadGetsSomeOfTheBlocksThatMayBeMostOfTheWork) {
  for (std::int64_t alike : {1, 2, 8, 9})
    for (int threads : {2, 3, 16}) {
      turns.clear();
      BlockWork work{recordTurn, nullptr, 50 * alike};
      work.blocks_alike = alike;
      ThreadPool::instance().run(work, threads);
      std::sort(turns.begin(), turns.end());
      std::int64_t next = 0;
      for (auto [first, last] : turns) {
        ASSERT_EQ(first, next);
        EXPECT_LE(last - first, (alike + threads - 1) / threads) << alike << " blocks, " << threads;
        next = last;
      }
      EXPECT_EQ(next, 50 * alike);
    }
}

TEST(Launch, ManyApplicationThreadsMayLaunchAtOnce) {
  Kernel kernel = Kernel::open(resultOnlyPackage("mark"));
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<float> out(5000, 0.0f);
        kernel({}, std::array{view(out.data(), {1, 5000, 1, 1})}, {4});
        wrong += std::count(out.begin(), out.end(), 1.0f) != 5000;
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Launch, EveryThreadHasAnAlignedWorkspace) {
  Kernel kernel = Kernel::open(resultOnlyPackage("touch", 4096));
  std::vector<float> out(4000, 0.0f);
  for (int repeat = 0; repeat < 10; ++repeat)
    kernel({}, std::array{view(out.data(), {1, 4000, 1, 1})}, {3});
  EXPECT_EQ(std::count(out.begin(), out.end(), 1.0f), 4000);
}

TEST(Launch, AForkedChildLaunchesOnThreadsOfItsOwn) {
  Kernel kernel = Kernel::open(resultOnlyPackage("mark"));
  std::vector<float> out(20000, 0.0f);
  kernel({}, std::array{view(out.data(), {1, 20000, 1, 1})}, {3});
  pid_t child = fork();
  if (child == 0) {
    alarm(20); // a deadlock ends as a failure
    std::fill(out.begin(), out.end(), 0.0f);
    for (int repeat = 0; repeat < 20; ++repeat)
      kernel({}, std::array{view(out.data(), {1, 20000, 1, 1})}, {3});
    _exit(std::count(out.begin(), out.end(), 20.0f) == 20000 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Launch, TemporariesThatDoNotFitAreAnErrorBeforeAnythingRuns) {
  Package package = totalPackage();
  auto resize = [&](std::int64_t rows, std::int64_t columns) {
    for (auto [axis, extent] : {std::pair(2, rows), std::pair(3, columns)}) {
      package.temporaries[1].shape[axis] = package.expressions.size();
      package.expressions.push_back(Expression::of(extent));
    }
  };
  resize(std::int64_t(1) << 40, std::int64_t(1) << 12);
  float x = 1, out = -1;
  Kernel kernel = Kernel::open(package);
  Error error =
      errorOf([&] { kernel(std::array{view(&x, {1, 1, 1, 1})}, std::array{view(&out, {1, 1, 1, 1})}); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(),
               "pattern 'total': cannot allocate 18014398509482048 bytes of temporaries for B=1, N=1");
  EXPECT_EQ(out, -1);
  resize(std::int64_t(1) << 40, std::int64_t(1) << 40);
  Kernel larger = Kernel::open(package);
  EXPECT_STREQ(errorOf([&] {
                 larger(std::array{view(&x, {1, 1, 1, 1})}, std::array{view(&out, {1, 1, 1, 1})});
               }).what(),
               "pattern 'total': cannot allocate more than 2^63 bytes of temporaries for B=1, N=1");
}

TEST(Launch, AWorkspaceThatDoesNotFitIsAnError) {
  Kernel kernel = Kernel::open(resultOnlyPackage("nothing", std::int64_t(1) << 32));
  float out = -1;
  AddressSpaceLimit limit(std::size_t(1) << 30);
  Error error = errorOf([&] { kernel({}, std::array{view(&out, {1, 1, 1, 1})}); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(), "cannot allocate 4294967296 bytes of workspace for a kernel");
}

TEST(Launch, ThreadsOutOfRangeAreRefused) {
  Kernel kernel = Kernel::open(resultOnlyPackage("nothing"));
  for (int threads : {-1, 4097}) {
    Error error = errorOf([&] { kernel({}, std::array{view(nullptr, {1, 0, 1, 1})}, {.threads = threads}); });
    EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
    EXPECT_EQ(std::string(error.what()),
              "pattern 'nothing': expected 0 to 4096 threads, got " + std::to_string(threads));
  }
}

TEST(Open, CodeThatDoesNotFitIsAnError) {
  Package package = addPackage();
  package.images[0].code.resize(std::size_t(128) << 20);
  AddressSpaceLimit limit(std::size_t(64) << 20);
  Error error = errorOf([&] { Kernel::open(std::move(package)); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(), "cannot map 134217728 bytes for a kernel's code: Cannot allocate memory");
}

TEST(Open, ASystemThatForbidsNewCodeIsNamed) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  constexpr int deny_write_execute = 65, refuse_gain = 1; // PR_SET_MDWE, of Linux 6.3, as systemd sets it
  EXPECT_EXIT(
      {
        if (prctl(deny_write_execute, refuse_gain, 0L, 0L, 0L) != 0)
          std::exit(2);
        std::fputs(errorOf([] { Kernel::open(addPackage()); }).what(), stderr);
        std::exit(2);
      },
      testing::ExitedWithCode(2),
      "^(the system refuses executable memory for a kernel's code: Permission denied)?$");
}

TEST(Open, AMissingFeatureIsNamed) {
  Package package = addPackage();
  const char *foreign = architecture() == "x86_64" ? "fma4" : "sme2"; // AMD dropped it, Intel never had it
  if (cpuHas(foreign))
    GTEST_SKIP() << "this machine has " << foreign;
  package.cpu_features = {foreign};
  Error error = errorOf([&] { Kernel::open(package); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_EQ(std::string(error.what()), "pattern 'sum2' was compiled for a CPU with the feature '" +
                                           std::string(foreign) + "', which this machine lacks");
  EXPECT_EQ(error.hint(), "compile it on this machine");
}

TEST(Open, CodeForAnotherArchitectureIsNamed) {
  Package package = addPackage();
  package.target = "cpu:riscv64-unknown-linux-gnu:generic";
  Error error = errorOf([&] { Kernel::open(package); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_EQ(std::string(error.what()),
            "pattern 'sum2': expected code for cpu:" + std::string(architecture()) +
                ", got code for 'cpu:riscv64-unknown-linux-gnu:generic'");
}

#if defined(__x86_64__)
TEST(Open, FeaturesAgreeWithTheCompilersOwnDetection) {
#define AGREES(feature) EXPECT_EQ(cpuHas(feature), __builtin_cpu_supports(feature) != 0) << feature
  AGREES("sse4.2");
  AGREES("avx");
  AGREES("avx2");
  AGREES("fma");
  AGREES("bmi2");
  AGREES("avx512f");
  AGREES("avx512vl");
  AGREES("avx512bw");
  AGREES("avx512vnni");
  AGREES("avx512bf16");
  AGREES("gfni");
  AGREES("popcnt");
  AGREES("fma4");
#undef AGREES
}
#endif

TEST(Open, CodeIsNeverWritableAndExecutableAtOnce) {
  Kernel kernel = Kernel::open(addPackage());
  FILE *maps = fopen("/proc/self/maps", "r");
  ASSERT_NE(maps, nullptr);
  char line[512];
  while (fgets(line, sizeof line, maps))
    EXPECT_EQ(std::string(line).find(" rwx"), std::string::npos) << line;
  fclose(maps);
}

TEST(Speed, AOneBlockLaunchCostsLessThanTwoMicroseconds) {
  Kernel kernel = Kernel::open(resultOnlyPackage("nothing"));
  float out = 0;
  std::array<TensorView, 1> results{view(&out, {1, 1, 1, 1})};
  double thousand = leastSeconds(2e-3, 20, [&] {
    for (int repeat = 0; repeat < 1000; ++repeat)
      kernel({}, results);
  });
  std::printf("one-block launch: %.3f us\n", thousand * 1e3);
  EXPECT_LT(thousand, 2e-3);
}

} // namespace
