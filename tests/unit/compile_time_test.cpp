// Compile time grows with a pattern, not with the number of paths through it or of combinations of its
// states.
#include "compiler/api/compiler_api.h"
#include "quiet_moment.h"
#include "tests/unit/growing_pattern.h"
#include <gtest/gtest.h>

namespace linmu::test {
namespace {

std::string last(const std::string &name, int n) { return "%" + name + std::to_string(n); }

/// n ops, or a few times as many, each of which uses the one before twice.
const GrowingPattern byOps[] = {
    {"ADecaySquared",
     [](int n) { return repeated(n, "    %x@ = arith.mulf %x#, %x# : f32\n") + written(last("x", n)); }},
    {"ADecayByMinima",
     [](int n) {
       return repeated(n, "    %u# = arith.mulf %x#, %z0 : f32\n    %x@ = arith.minimumf %u#, %x# : f32\n") +
              written(last("x", n));
     }},
    {"ADecayBySelects",
     [](int n) {
       return "    %b = arith.cmpf ogt, %g, %h : f32\n" +
              repeated(n,
                       "    %u# = arith.mulf %x#, %z0 : f32\n    %x@ = arith.select %b, %u#, %x# : f32\n") +
              written(last("x", n));
     }},
    {"ADecayByMeans",
     [](int n) {
       return "    %half = arith.constant 0.5 : f32\n" +
              repeated(n, "    %u# = arith.mulf %x#, %z0 : f32\n    %t# = arith.addf %u#, %x# : f32\n"
                          "    %x@ = arith.mulf %t#, %half : f32\n") +
              written(last("x", n));
     }},
    {"ADecayLessItsSquare",
     [](int n) {
       return repeated(n, "    %u# = arith.mulf %x#, %x# : f32\n    %x@ = arith.subf %x#, %u# : f32\n") +
              written(last("x", n));
     }},
    {"AKeySquared",
     [](int n) {
       return "    %k0 = arith.addf %k, %v : !v\n" + repeated(n, "    %k@ = arith.mulf %k#, %k# : !v\n") +
              written("%x0", "%S0", last("k", n));
     }},
    {"FeedbackThatIsShared",
     [](int n) {
       return "    %X = pattern.broadcast %x0 : f32 to !v\n    %Z = pattern.broadcast %z0 : f32 to !v\n"
              "    %r0 = pattern.read %S0, %k : !m, !v\n" +
              repeated(n, "    %a# = arith.mulf %r#, %X : !v\n    %b# = arith.mulf %r#, %Z : !v\n"
                          "    %c# = arith.addf %a#, %b# : !v\n    %r@ = arith.subf %v, %c# : !v\n") +
              written("%x0", "%S0", "%k", last("r", n));
     }},
    {"AStateOfOneVectorThatIsShared",
     [](int n) {
       return "    %X = pattern.broadcast %x0 : f32 to !v\n    %Z = pattern.broadcast %z0 : f32 to !v\n"
              "    %h0 = arith.mulf %S0, %X : !v\n" +
              repeated(n, "    %a# = arith.mulf %h#, %X : !v\n    %b# = arith.mulf %h#, %Z : !v\n"
                          "    %c# = arith.addf %a#, %b# : !v\n    %h@ = arith.subf %c#, %k : !v\n") +
              "    %A = arith.mulf %S0, %X : !v\n    %N0 = arith.addf %A, %k : !v\n    %r = pattern.dot " +
              last("h", n) + ", %q : !v\n    %o = pattern.broadcast %r : f32 to !v\n";
     },
     [](int) { return 1; }, 1},
};

/// n states, each with a read along the axis that is tried last.
const GrowingPattern byStates[] = {
    {"Matrices",
     [](int n) {
       return "    %X = pattern.broadcast %x0 : f32 to !m\n    %acc0 = arith.addf %q, %v : !v\n" +
              repeated(n, "    %D# = arith.mulf %S#, %X : !m\n    %W# = pattern.outer %v, %k : !v, !v\n"
                          "    %N# = arith.addf %D#, %W# : !m\n"
                          "    %r# = pattern.read_transposed %N#, %q : !m, !v\n"
                          "    %acc@ = arith.addf %acc#, %r# : !v\n") +
              "    %o = arith.negf " + last("acc", n) + " : !v\n";
     },
     [](int n) { return n; }},
    {"MatricesThatReadEachOther",
     [](int n) {
       return "    %X = pattern.broadcast %x0 : f32 to !m\n    %r0 = arith.addf %q, %v : !v\n" +
              repeated(n, "    %D# = arith.mulf %S#, %X : !m\n    %W# = pattern.outer %r#, %k : !v, !v\n"
                          "    %N# = arith.addf %D#, %W# : !m\n"
                          "    %r@ = pattern.read_transposed %N#, %q : !m, !v\n") +
              "    %o = arith.negf " + last("r", n) + " : !v\n";
     },
     [](int n) { return n; }},
    {"Vectors",
     [](int n) {
       return "    %X = pattern.broadcast %x0 : f32 to !v\n    %acc0 = arith.addf %q, %v : !v\n" +
              repeated(n, "    %D# = arith.mulf %S#, %X : !v\n    %N# = arith.addf %D#, %k : !v\n"
                          "    %acc@ = arith.addf %acc#, %N# : !v\n") +
              "    %o = arith.negf " + last("acc", n) + " : !v\n";
     },
     [](int n) { return n; }, 1},
    {"VectorsUnderFunctions",
     [](int n) {
       return "    %X = pattern.broadcast %x0 : f32 to !v\n    %acc0 = arith.addf %q, %v : !v\n" +
              repeated(n, "    %D# = arith.mulf %S#, %X : !v\n    %N# = arith.addf %D#, %k : !v\n"
                          "    %t# = math.tanh %N# : !v\n    %acc@ = arith.addf %acc#, %t# : !v\n") +
              "    %o = arith.negf " + last("acc", n) + " : !v\n";
     },
     [](int n) { return n; }, 1},
};

std::string explained(const std::string &text) {
  compiler::Text report = compiler::explain(text, {}, false);
  EXPECT_TRUE(report.ok) << report.diagnostics;
  EXPECT_EQ(report.text.find("opaque"), std::string::npos) << report.text;
  return report.text;
}

std::vector<std::byte> compiled(const std::string &text) {
  compiler::Bytes package = compiler::compile(text, {});
  EXPECT_TRUE(package.ok) << package.diagnostics;
  return package.bytes;
}

/// Four times the size takes four times as long; twice that is left to the machine as a limit. What doubles
/// with each op takes more than 1,000 times as long, what grows with the square 16 times.
template <typename Work> void expectGrowth(const GrowingPattern &pattern, int n, double limit, Work &&work) {
  const std::string small = textOf(pattern, n), large = textOf(pattern, 4 * n);
  work(small); // what the first call in a process makes
  double one = leastSeconds(1e9, 5, [&] { work(small); });
  double four = leastSeconds(limit * one, 3, [&] { work(large); });
  ::testing::Test::RecordProperty("milliseconds", std::to_string(one * 1e3));
  EXPECT_LT(four, limit * one) << pattern.name << " of " << n << ": " << one * 1e3 << " ms, of " << 4 * n
                               << ": " << four * 1e3 << " ms";
}

bool growsByStates(const GrowingPattern &pattern) { return pattern.states(2) == 2; }

// Each state may take a try of its own, and each try takes all of them: the square, and a quarter more. The
// combinations of their axes would be 32,768 times as many.
double limitOf(const GrowingPattern &pattern) { return growsByStates(pattern) ? 20 : 8; }

class CompileTime : public testing::TestWithParam<GrowingPattern> {};

TEST_P(CompileTime, TheReportGrowsWithThePattern) {
  expectGrowth(GetParam(), growsByStates(GetParam()) ? 5 : 100, limitOf(GetParam()), explained);
}

TEST_P(CompileTime, TheWholePipelineGrowsWithThePattern) {
  expectGrowth(GetParam(), growsByStates(GetParam()) ? 3 : 25, limitOf(GetParam()), compiled);
}

std::string nameOf(const testing::TestParamInfo<GrowingPattern> &info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(ByOps, CompileTime, testing::ValuesIn(byOps), nameOf);
INSTANTIATE_TEST_SUITE_P(ByStates, CompileTime, testing::ValuesIn(byStates), nameOf);

TEST(CompileTime, TwentySquaresAreReportedInFiftyMilliseconds) {
  const std::string text = textOf(byOps[0], 20);
  explained(text);
  EXPECT_LT(leastSeconds(0.05, 3, [&] { explained(text); }), 0.05);
}

TEST(CompileTime, AReportStaysReadableHoweverLongTheDecay) {
  std::string report = explained(textOf(byOps[0], 500));
  EXPECT_LT(report.size(), 2000u);
  EXPECT_NE(report.find("..."), std::string::npos) << report;
}

} // namespace
} // namespace linmu::test
