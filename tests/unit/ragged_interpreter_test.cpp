// The definition of ragged batches: for every combination of clauses each sequence gives what it gives alone.
#include "tests/unit/ragged_batch.h"

namespace linmu::test::cuts {
namespace {

// fp64 against fp64 in another order of summation.
constexpr double tolerance = 1e-12;

class RaggedInterpreter : public testing::TestWithParam<int> {};

TEST_P(RaggedInterpreter, sequencesGiveWhatTheyGiveAloneForEveryCombinationOfClauses) {
  unsigned seed = 0;
  for (const Combination &with : partOf(allCombinations(), GetParam())) {
    Combination packed = ragged(with);
    Parsed pattern(textOf(packed));
    ASSERT_FALSE(HasFailure()) << textOf(packed);
    RaggedBatch batch = raggedBatch(with, {3, 0, 1, 5}, seed += 10);
    std::vector<HostTensor> inputs;
    for (const std::string &name : inputsOf(packed))
      inputs.push_back(batch.operands[name]);
    std::vector<HostTensor> actual = pattern.run(inputs, 2);
    std::vector<std::string> results = resultsOf(packed);
    ASSERT_EQ(actual.size(), results.size());
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_LT(worstDifference(actual[i], batch.expected[results[i]]), tolerance)
          << results[i] << " of " << packed.name();
  }
}
INSTANTIATE_TEST_SUITE_P(Loops, RaggedInterpreter, testing::Range(0, 8));

TEST(RaggedInterpreter, refusesTablesThatAreNone) {
  Combination with = ragged({});
  Parsed pattern(textOf(with));
  auto refusal = [&](std::vector<double> entries) {
    RaggedBatch batch = raggedBatch({}, {2}, 1);
    batch.operands["cu"] = {DType::i32, {std::int64_t(entries.size())}, entries};
    batch.operands["s0"].shape[0] = std::int64_t(entries.size()) - 1;
    batch.operands["s0"].elements.resize(batch.operands["s0"].shape[0] * with.heads() * features * features);
    std::vector<HostTensor> inputs;
    for (const std::string &name : inputsOf(with))
      inputs.push_back(batch.operands[name]);
    return pattern.fail(inputs);
  };
  EXPECT_NE(refusal({1, 4}).find("requires entry 0 of sequences to be 0, got 1"), std::string::npos);
  EXPECT_NE(refusal({0, 3, 2, 4}).find("requires entry 2 of sequences to be at least entry 1, 3, got 2"),
            std::string::npos);
  EXPECT_NE(refusal({0, 3}).find("requires the last entry of sequences to be the 4 tokens, got 3"),
            std::string::npos);
}

TEST(RaggedInterpreter, refusesABatchBesideSequences) {
  Combination with = ragged({});
  RaggedBatch batch = raggedBatch({}, {2}, 1);
  batch.operands["k"].shape[0] = 2;
  batch.operands["k"].shape[1] = 2;
  std::vector<HostTensor> inputs;
  for (const std::string &name : inputsOf(with))
    inputs.push_back(batch.operands[name]);
  EXPECT_NE(Parsed(textOf(with)).fail(inputs).find("operand 'k' of pattern 'cut': expected shape [1, N="),
            std::string::npos);
}

} // namespace
} // namespace linmu::test::cuts
