// The definition of cuts: for every combination of clauses a walk in parts gives what the whole gives.
#include "tests/unit/cut_walk.h"

namespace linmu::test::cuts {
namespace {

// fp64 against fp64 in another order of summation.
constexpr double tolerance = 1e-12;
constexpr int tokens = 9;

class CutInterpreter : public testing::TestWithParam<int> {};

TEST_P(CutInterpreter, aWalkInPartsEqualsTheWholeForEveryCombinationOfClauses) {
  unsigned seed = 0;
  for (const Combination &with : partOf(allCombinations(), GetParam())) {
    Parsed pattern(textOf(with));
    ASSERT_FALSE(HasFailure()) << textOf(with);
    Operands operands = operandsOf(with, tokens, ++seed);
    auto run = [&](const std::vector<HostTensor> &inputs) { return pattern.run(inputs); };
    auto compare = [&](const Cuts &cuts) {
      Operands wanted = expected(with, operands, cuts), actual = inParts(with, operands, cuts, run);
      for (const std::string &name : resultsOf(with))
        EXPECT_LT(worstDifference(actual[name], wanted[name]), tolerance)
            << name << " of " << with.name() << ", cut at " << testing::PrintToString(cuts);
    };
    compare({});
    for (const Cuts &cuts : cutsOf(tokens))
      compare(cuts);
  }
}
INSTANTIATE_TEST_SUITE_P(Loops, CutInterpreter, testing::Range(0, 8));

TEST(CutCombinations, areAllOfThem) {
  std::map<std::string, int> names;
  for (int bits = 0; bits < 8; ++bits)
    for (const Combination &with : partOf(allCombinations(), bits))
      ++names[with.name()];
  EXPECT_EQ(names.size(), 2304u);
}

} // namespace
} // namespace linmu::test::cuts
