// Walks in parts as machine code, by each algorithm, against the whole in fp64.
#include "tests/unit/cut_kernel.h"
#include "tests/unit/cut_walk.h"

namespace linmu::test::cuts {
namespace {

// f32 arithmetic over tens of tokens of size one.
constexpr double tolerance = 2e-5;
// Two chunks of 16, the second ragged; three of 8.
constexpr int tokens = 21;

/// Compiles each combination once and runs it at every cut.
void check(const std::vector<Combination> &all, const std::map<std::string, std::string> &schedule) {
  unsigned seed = 0;
  for (const Combination &with : all) {
    Kernel kernel = compileFor(textOf(with), with.map ? forMaps(schedule) : schedule);
    Operands operands = operandsOf(with, tokens, ++seed);
    auto run = [&](const std::vector<HostTensor> &inputs) { return launch(kernel, inputs); };
    std::vector<Cuts> every = cutsOf(tokens);
    every.push_back({});
    for (const Cuts &cuts : every) {
      Operands wanted = expected(with, operands, cuts), actual = inParts(with, operands, cuts, run);
      for (const std::string &name : resultsOf(with))
        EXPECT_LT(worstDifference(actual[name], wanted[name]), tolerance)
            << name << " of " << with.name() << ", cut at " << testing::PrintToString(cuts);
    }
  }
}

/// Parts of a few tokens by the recurrent algorithm, the others in chunks.
const std::map<std::string, std::string> mixed{{"recurrent_below", "4"}, {"chunk", "16"}};
const std::map<std::string, std::string> recurrent{{"algorithm", "recurrent"}};
const std::map<std::string, std::string> segmented{
    {"algorithm", "segmented"}, {"chunk", "8"}, {"segments", "3"}};
const std::map<std::string, std::string> chunked{{"algorithm", "chunked"}, {"chunk", "16"}};

std::vector<Combination> scansOf(std::vector<Combination> all) {
  std::erase_if(all, [](const Combination &with) { return with.map; });
  return all;
}

class CutKernels : public testing::TestWithParam<int> {
protected:
  std::vector<Combination> covering() const { return partOf(coveringCombinations(), GetParam()); }
  std::vector<Combination> all() const { return partOf(allCombinations(), GetParam()); }
};

TEST_P(CutKernels, WalksInPartsEqualTheWholeWithBothAlgorithms) { check(covering(), mixed); }
TEST_P(CutKernels, WalksInPartsEqualTheWholeRecurrent) { check(covering(), recurrent); }
TEST_P(CutKernels, WalksInPartsEqualTheWholeInSegments) { check(scansOf(covering()), segmented); }
// Each compiles 2304 patterns.
TEST_P(CutKernels, DISABLED_WalksInPartsEqualTheWholeRecurrentForAllCombinations) { check(all(), recurrent); }
TEST_P(CutKernels, DISABLED_WalksInPartsEqualTheWholeInChunksForAllCombinations) { check(all(), chunked); }
INSTANTIATE_TEST_SUITE_P(Loops, CutKernels, testing::Range(0, 8));

TEST(CutCombinations, CoverEveryThreeClauses) {
  // Lags and segments have the most values: 12 and 3, beside a third clause of 2.
  EXPECT_GE(coveringCombinations().size(), 12u * 3 * 2);
  EXPECT_LE(coveringCombinations().size(), 150u);
}

} // namespace
} // namespace linmu::test::cuts
