// Mutated texts that are still patterns go through the whole compiler: a package or one message, never a
// crash.
#include "compiler/api/compiler_api.h"
#include "tests/unit/text_mutation.h"
#include <gtest/gtest.h>
#include <set>

namespace linmu::test {
namespace {

class PipelineFuzz : public testing::TestWithParam<const char *> {};

TEST_P(PipelineFuzz, compilesWhatTheFrontendAcceptsOrGivesOneMessage) {
  reportCrashes();
  std::vector<std::string> tokens = tokensOf(readSample(GetParam()));
  ASSERT_GT(tokens.size(), 100u);
  compiler::Options options;
  options.filename = "fuzz.mlir";
  std::set<std::string> keys;
  int compiled = 0;
  for (int seed = 0; seed < mutantCount(150); ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> rewired = tokens;
    for (int changes = seed % 4; changes > 0; --changes)
      rewire(rewired, random);
    current = seed % 2 ? mutate(rewired, random) : textOf(rewired);
    for (const std::string &name : compiler::functions(current, options).names) {
      options.function = name;
      compiler::Text key = compiler::cacheKey(current, options);
      // What differs in names and layout only would be compiled over and over.
      if (!key.ok || !keys.insert(key.text).second)
        continue;
      compiler::Text explained = compiler::explain(current, options, false);
      compiler::Bytes package = compiler::compile(current, options);
      compiled += package.ok;
      for (const std::string &diagnostics : {explained.diagnostics, package.diagnostics}) {
        static const std::regex form(R"((fuzz\.mlir:\d+:\d+: (error|note): [^\n]+\n)*)");
        EXPECT_TRUE(std::regex_match(diagnostics, form)) << diagnostics << "---\n" << current;
      }
      EXPECT_NE(package.ok, package.diagnostics.find(": error: ") != std::string::npos)
          << package.diagnostics;
    }
  }
  EXPECT_GT(compiled, 10);
}
INSTANTIATE_TEST_SUITE_P(Samples, PipelineFuzz, testing::Values("scan.mlir", "clauses.mlir"));

} // namespace
} // namespace linmu::test
