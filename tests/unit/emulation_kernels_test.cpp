// Whole kernels: their results, that none of their waits and barriers may go, and that they compile for every
// GPU.
#include "compiler/target/cuda/emulation/Numbers.h"
#include "compiler/target/cuda/emulation/Orderings.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include "emulation_fixture.h"
#include "nvrtc.h"
#include <algorithm>

namespace linmu::emulation {
namespace {

/// A kernel, and a launch of it that checks its own result where it is clean.
struct Case {
  const char *name;
  std::size_t orderings; ///< waits, barriers and commits in its text
  Verdict (*launch)(const Kernel &kernel, std::uint64_t seed, int withoutOrderingAt);
};

std::uint16_t smallInteger(std::minstd_rand &random) { return toBF16(static_cast<float>(random() % 9) - 4); }

/// 100 rows of 128: the last tile of rows is cut. Sums of small integers are exact.
Verdict launchMatmul(const Kernel &kernel, std::uint64_t seed, int withoutOrderingAt) {
  const std::int32_t m = 100, n = 128, k = 128;
  std::minstd_rand random(static_cast<unsigned>(seed + 1));
  Values<std::uint16_t> a(m * k), b(k * n);
  for (std::int32_t i = 0; i < m * k; ++i)
    a[i] = smallInteger(random);
  for (std::int32_t i = 0; i < k * n; ++i)
    b[i] = smallInteger(random);
  Values<float> c(m * n);
  Launch launch{.grid = {2, 2, 1},
                .threads = 128,
                .sharedBytes = 16384,
                .seed = seed,
                .withoutOrderingAt = withoutOrderingAt};
  Verdict verdict = emulate(kernel, launch,
                            std::vector<Argument>{a.operand(), b.operand(), c.operand(false), scalarOf(m),
                                                  scalarOf(n), scalarOf(k)});
  if (verdict.outcome == Outcome::clean)
    for (std::int32_t row = 0; row < m; ++row)
      for (std::int32_t column = 0; column < n; ++column) {
        float sum = 0;
        for (std::int32_t inner = 0; inner < k; ++inner)
          sum += fromBF16(a[row * k + inner]) * fromBF16(b[inner * n + column]);
        EXPECT_EQ(c[row * n + column], sum) << row << " " << column;
      }
  return verdict;
}

Verdict launchRowSums(const Kernel &kernel, std::uint64_t seed, int withoutOrderingAt) {
  const std::int32_t rows = 3, columns = 300;
  Values<float> x(2 * rows * columns), y(2 * rows);
  for (std::int32_t i = 0; i < 2 * rows * columns; ++i)
    x[i] = static_cast<float>(i % 17) - 5;
  Launch launch{.grid = {2, 1, 1},
                .threads = 128,
                .sharedBytes = 16,
                .seed = seed,
                .withoutOrderingAt = withoutOrderingAt};
  Verdict verdict =
      emulate(kernel, launch,
              std::vector<Argument>{x.operand(), y.operand(false), scalarOf(rows), scalarOf(columns)});
  if (verdict.outcome == Outcome::clean)
    for (std::int32_t row = 0; row < 2 * rows; ++row) {
      float sum = 0;
      for (std::int32_t column = 0; column < columns; ++column)
        sum += x[row * columns + column];
      EXPECT_EQ(y[row], sum);
    }
  return verdict;
}

Verdict launchHandover(const Kernel &kernel, std::uint64_t seed, int withoutOrderingAt) {
  const std::int32_t count = 5;
  Values<std::uint16_t> x(count * 256), y(count * 256);
  for (std::int32_t i = 0; i < count * 256; ++i)
    x[i] = static_cast<std::uint16_t>(i);
  Launch launch{.threads = 64, .sharedBytes = 1536, .seed = seed, .withoutOrderingAt = withoutOrderingAt};
  Verdict verdict =
      emulate(kernel, launch, std::vector<Argument>{x.operand(), y.operand(false), scalarOf(count)});
  if (verdict.outcome == Outcome::clean)
    for (std::int32_t i = 0; i < count * 256; ++i)
      EXPECT_EQ(y[i], i / 256 * 256 + i % 16 * 16 + i / 16 % 16);
  return verdict;
}

const Case cases[] = {
    {"matmul", 5, launchMatmul}, {"row_sums", 2, launchRowSums}, {"handover", 5, launchHandover}};

class EmulatedKernel : public testing::TestWithParam<Case> {};

TEST_P(EmulatedKernel, ComputesWhatItShouldInAnyOrder) {
  HostCompilation compilation =
      compileForHost(kernelFile(GetParam().name), GetParam().name, LINMU_TEST_COMPILER);
  ASSERT_TRUE(compilation.kernel) << toString(compilation.verdict);
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    EXPECT_EQ(toString(GetParam().launch(**compilation.kernel, seed, 0)), "clean");
}

TEST_P(EmulatedKernel, FailsWithoutAnyOneOfItsWaitsAndBarriers) {
  HostCompilation compilation =
      compileForHost(kernelFile(GetParam().name), GetParam().name, LINMU_TEST_COMPILER);
  ASSERT_TRUE(compilation.kernel) << toString(compilation.verdict);
  std::vector<Ordering> orderings = orderingsIn(kernelFile(GetParam().name));
  EXPECT_EQ(orderings.size(), GetParam().orderings);
  for (const Ordering &ordering : orderings) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      Verdict verdict = GetParam().launch(**compilation.kernel, seed, ordering.line);
      EXPECT_EQ(static_cast<int>(verdict.outcome), static_cast<int>(Outcome::error))
          << "without " << ordering.call << " at line " << ordering.line << ": " << toString(verdict);
      EXPECT_GT(verdict.line, 0) << toString(verdict);
    }
  }
}

TEST_P(EmulatedKernel, CompilesForEveryArchitecture) {
  for (const char *architecture : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"}) {
    NvrtcResult result =
        compileWithNvrtc(std::string(cuda::devicePrelude()) + kernelFile(GetParam().name), architecture);
    EXPECT_TRUE(result.compiled) << architecture << ": " << result.log;
    EXPECT_EQ(result.log, "") << architecture;
    EXPECT_GT(result.cubin.size(), 1000U);
  }
}

TEST(Orderings, AreFoundAsStatementsByTheirLines) {
  std::string text = "void f() {\n#line 7 \"cell.mlir\"\n  if (x)\n    barrier(g(1),\n            64);\n"
                     "  my_barrier();\n  copy_wait<N - 1>();\n  bool any = barrier_any(x), b = true;\n"
                     "  barrier(2)\n";
  std::vector<Ordering> orderings = orderingsIn(text);
  ASSERT_EQ(orderings.size(), 2U);
  EXPECT_EQ(orderings[0].call, "barrier(g(1),\n            64)");
  EXPECT_EQ(orderings[0].line, 4);
  EXPECT_EQ(orderings[1].call, "copy_wait<N - 1>()");
  EXPECT_EQ(orderings[1].line, 7);
  std::string plain = withoutLineDirectives(text);
  EXPECT_EQ(plain.find("#line"), std::string::npos);
  EXPECT_EQ(orderingsIn(plain)[1].line, 7);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EmulatedKernel, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace linmu::emulation
