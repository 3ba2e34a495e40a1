// linmu::compile() with the real compiler: what the caches may rely on.
#include "runtime/core/settings.h"
#include "runtime/jit/compile.h"
#include "tests/unit/runtime_fixture.h"
#include <array>
#include <cerrno>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <unistd.h>

using namespace linmu;
using namespace linmu::test;

namespace {

// The running sum of x along the tokens; `gain` multiplies what is added.
std::string runningSum(const std::string &input, const std::string &gain) {
  return "func.func @running_sum(%" + input +
         ": tensor<?x?x2x16xf32>) -> tensor<?x?x2x16xf32> {\n"
         "  %o, %s = pattern.scan\n"
         "      tokens(%t = %" +
         input +
         " : tensor<?x?x2x16xf32>)\n"
         "      states(%S = zero : tensor<?x2x16xf32>)\n"
         "      -> (tensor<?x?x2x16xf32>) {\n"
         "    %c = arith.constant " +
         gain +
         " : f32\n"
         "    %C = pattern.broadcast %c : f32 to tensor<16xf32>\n"
         "    %T = arith.mulf %C, %t : tensor<16xf32>\n"
         "    %S1 = arith.addf %S, %T : tensor<16xf32>\n"
         "    pattern.yield outputs(%S1 : tensor<16xf32>) states(%S1 : tensor<16xf32>)\n"
         "  }\n"
         "  return %o : tensor<?x?x2x16xf32>\n"
         "}\n";
}

class Compile : public testing::Test {
protected:
  Compile() {
    char name[] = "/tmp/linmu_compile_test.XXXXXX";
    folder = mkdtemp(name);
    scope.emplace(Settings{2, folder / "cache", true});
  }
  ~Compile() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::optional<ScopedSettings> scope;
};

TEST_F(Compile, ARunningSumIsRightForEveryLength) {
  Kernel kernel = compile(runningSum("x", "1.0"));
  for (std::int64_t tokens : {0, 1, 2, 63, 64, 65, 1000}) {
    std::vector<float> x(std::size_t(tokens * 32), 1.0f), out(x.size(), -1.0f);
    kernel(std::array{view(x.data(), {1, tokens, 2, 16})}, std::array{view(out.data(), {1, tokens, 2, 16})});
    for (std::int64_t token = 0; token < tokens; ++token)
      for (std::int64_t i = 0; i < 32; ++i)
        ASSERT_EQ(out[token * 32 + i], float(token + 1))
            << tokens << " " << token; // small integers are exact
  }
}

TEST_F(Compile, OneCompilationServesEveryLengthAndNamesChangeNeitherKeyNorCode) {
  CompileStatistics before = compileStatistics();
  Kernel first = compile(runningSum("x", "2.0")), renamed = compile(runningSum("renamed", "2.0"));
  EXPECT_EQ(compileStatistics().compiled - before.compiled, 1);
  EXPECT_EQ(first.package().key, renamed.package().key);
  EXPECT_EQ(first.package().images, renamed.package().images);
  EXPECT_EQ(renamed.signature().inputs[0].name, "renamed");
}

TEST_F(Compile, AnotherConstantChangesKeyAndCode) {
  Kernel whole = compile(runningSum("x", "4.0")), half = compile(runningSum("x", "0.5"));
  EXPECT_NE(whole.package().key, half.package().key);
  EXPECT_NE(whole.package().images, half.package().images);
}

TEST_F(Compile, TheGradientIsAKernelOfItsOwnThatTheCachesKeep) {
  CompileOptions options;
  options.gradient.emplace();
  CompileStatistics before = compileStatistics();
  Kernel kernel = compile(runningSum("x", "3.0"), options);
  EXPECT_EQ(compileStatistics().compiled - before.compiled, 1);
  EXPECT_EQ(kernel.signature().name, "running_sum_gradient");
  EXPECT_EQ(kernel.signature().inputs[1].name, "d_o");
  for (std::int64_t tokens : {0, 1, 65}) {
    std::vector<float> x(std::size_t(tokens * 32), 7.0f), d(x.size(), 1.0f), out(x.size(), -1.0f);
    kernel(std::array{view(x.data(), {1, tokens, 2, 16}), view(d.data(), {1, tokens, 2, 16})},
           std::array{view(out.data(), {1, tokens, 2, 16})});
    for (std::int64_t token = 0; token < tokens; ++token)
      for (std::int64_t i = 0; i < 32; ++i)
        ASSERT_EQ(out[token * 32 + i], 3 * float(tokens - token)) << tokens << " " << token;
  }

  // In this process the text is known; the pattern itself is another kernel.
  before = compileStatistics();
  EXPECT_EQ(compile(runningSum("x", "3.0"), options).package().key, kernel.package().key);
  EXPECT_EQ(compileStatistics().memory_hits - before.memory_hits, 1);
  EXPECT_NE(compile(runningSum("x", "3.0")).package().key, kernel.package().key);
  options.gradient->of = {"o"};
  EXPECT_EQ(compile(runningSum("x", "3.0"), options).package().key, kernel.package().key);
  EXPECT_EQ(compileStatistics().compiled - before.compiled, 1);
  // What memory has no room for comes from the disk.
  Settings settings = Settings::current();
  settings.memory_cache_mib = 0;
  ScopedSettings forgetful(settings);
  compile(runningSum("other", "3.0"), options);
  before = compileStatistics();
  EXPECT_EQ(compile(runningSum("x", "3.0"), options).package().key, kernel.package().key);
  EXPECT_EQ(compileStatistics().disk_hits - before.disk_hits, 1);
  EXPECT_EQ(compileStatistics().compiled - before.compiled, 0);
}

TEST_F(Compile, AGradientThatCannotBeDerivedIsAnErrorAtItsLine) {
  CompileOptions options;
  options.filename = "sum.mlir";
  options.gradient.emplace().wrt = {"y"};
  Error error = errorOf([&] { compile(runningSum("x", "1.0"), options); });
  EXPECT_EQ(error.code(), ErrorCode::invalidPattern);
  EXPECT_EQ(std::string(error.what()), "sum.mlir:1:1: error: has no input 'y' to differentiate; it has: x");
}

TEST_F(Compile, AMalformedPatternIsOneErrorAtItsLine) {
  CompileOptions options;
  options.filename = "sum.mlir";
  std::string text = runningSum("x", "1.0");
  text.replace(text.find("arith.addf"), 10, "arith.nonsense");
  Error error = errorOf([&] { compile(text, options); });
  EXPECT_EQ(error.code(), ErrorCode::invalidPattern);
  EXPECT_EQ(std::string(error.what()).find("sum.mlir:9:"), 0u) << error.what();
}

TEST_F(Compile, AFileThatIsMissingIsNamed) {
  Error error = errorOf([&] { compileFile(folder / "none.mlir"); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_EQ(std::string(error.what()),
            "cannot read " + (folder / "none.mlir").string() + ": No such file or directory");
}

TEST_F(Compile, AFileWithoutTextIsNamed) {
  std::ofstream(folder / "empty.mlir").close();
  errno = ENOENT; // of an earlier call, and none of this one's
  Error error = errorOf([&] { compileFile(folder / "empty.mlir"); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_EQ(std::string(error.what()), "cannot read " + (folder / "empty.mlir").string() + ": it is empty");
  EXPECT_EQ(std::string(errorOf([&] { compileFile(folder); }).what()),
            "cannot read " + folder.string() + ": it is a folder");
}

TEST_F(Compile, TheReportNamesTheAlgorithm) {
  EXPECT_NE(explain(runningSum("x", "1.0")).find("running_sum"), std::string::npos);
}

} // namespace
