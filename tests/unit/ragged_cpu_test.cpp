// Ragged batches as machine code, by each algorithm, against each sequence alone in fp64.
#include "tests/unit/cut_kernel.h"
#include "tests/unit/ragged_batch.h"

namespace linmu::test::cuts {
namespace {

// f32 arithmetic over tens of tokens of size one; the same in fp64 in another order of summation.
constexpr double tolerance = 2e-5, exact = 1e-11;
using Schedule = std::map<std::string, std::string>;

/// All of `lengths` in one call: the tile program by its definition, and machine code on two threads.
void check(const Combination &with, const std::vector<int> &lengths, const Schedule &forScans,
           unsigned seed) {
  Combination packed = ragged(with);
  Schedule schedule = with.map ? forMaps(forScans) : forScans;
  RaggedBatch batch = raggedBatch(with, lengths, seed);
  std::vector<HostTensor> inputs;
  for (const std::string &name : inputsOf(packed))
    inputs.push_back(batch.operands[name]);
  std::vector<std::string> results = resultsOf(packed);
  auto compare = [&](const std::vector<HostTensor> &actual, double bound, const char *what) {
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_LT(worstDifference(actual[i], batch.expected[results[i]]), bound)
          << results[i] << " of " << packed.name() << " by " << what << ", lengths "
          << testing::PrintToString(lengths);
  };
  compare(interpretTiles(textOf(packed), schedule, inputs), exact, "the definition of tiles");
  compare(launch(compileFor(textOf(packed), schedule), inputs, 2), tolerance, "machine code");
}

// Chunks have 16 tokens, blocks of a map 32.
const std::vector<int> lengths{2, 63, 0, 1, 16, 0, 65, 17};

const Schedule recurrent{{"algorithm", "recurrent"}};
const Schedule chunked{{"algorithm", "chunked"}, {"chunk", "16"}};
const Schedule columns{{"algorithm", "chunked"}, {"chunk", "16"}, {"columns", "1"}};
const Schedule segmented{{"algorithm", "segmented"}, {"chunk", "16"}, {"segments", "3"}};
const Schedule twoKernels{{"algorithm", "two_kernels"}, {"chunk", "16"}};

class RaggedKernels : public testing::TestWithParam<int> {
protected:
  /// The combinations that cover every three clauses; of `several` schedules each gets one.
  void checkCovering(const std::vector<Schedule> &several) const {
    unsigned seed = 0;
    for (const Combination &with : partOf(coveringCombinations(), GetParam())) {
      check(with, lengths, several[seed % several.size()], 10 * seed);
      ++seed;
    }
  }
};

// By itself a kernel walks short sequences token by token and long ones in chunks.
TEST_P(RaggedKernels, SequencesGiveWhatTheyGiveAloneInChunks) { checkCovering({chunked, {}}); }
TEST_P(RaggedKernels, SequencesGiveWhatTheyGiveAloneRecurrent) { checkCovering({recurrent}); }
TEST_P(RaggedKernels, SequencesGiveWhatTheyGiveAloneByColumnsInTwoKernelsAndInSegments) {
  if (GetParam() % 2 == 0) // maps have none of them
    checkCovering({columns, twoKernels, segmented});
}
INSTANTIATE_TEST_SUITE_P(Loops, RaggedKernels, testing::Range(0, 8));

// Tables of which no sequence has tokens, and of few sequences.
TEST(RaggedTables, MayBeOfAnySize) {
  Combination with;
  with.lag = 2;
  with.before = Before::tail;
  for (const Schedule &schedule : {Schedule{}, recurrent, twoKernels, segmented})
    for (const std::vector<int> &few : {std::vector<int>{0, 0}, {40}})
      check(with, few, schedule, 7);
  with.map = true;
  for (const std::vector<int> &few : {std::vector<int>{0, 0}, {40}})
    check(with, few, {}, 7);
}

} // namespace
} // namespace linmu::test::cuts
