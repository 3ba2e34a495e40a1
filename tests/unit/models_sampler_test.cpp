#include "models/generate/sampler.h"
#include "tests/unit/models_file_fixture.h"
#include <cmath>
#include <limits>
#include <vector>

namespace linmu::models {
namespace {

using test::expectError;

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  Sampler sampler({});
  EXPECT_EQ(sampler.next(std::vector<float>{1, 3, 2, 3}), 1);
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  std::vector<float> logits(100, 0.0f);
  auto draw = [&](std::uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed});
    std::vector<std::int64_t> drawn;
    for (int i = 0; i < 20; ++i)
      drawn.push_back(sampler.next(logits));
    return drawn;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(Sampler, FrequenciesFollowTheSoftmaxOfTheTemperature) {
  std::vector<float> logits{0.0f, 1.0f, 2.0f};
  Sampler sampler({.temperature = 2});
  std::vector<int> counts(3);
  constexpr int draws = 40000;
  for (int i = 0; i < draws; ++i)
    ++counts[sampler.next(logits)];
  double sum = 1 + std::exp(0.5) + std::exp(1.0);
  for (int i = 0; i < 3; ++i) // four standard deviations of a share are below 0.01
    EXPECT_NEAR(counts[i] / double(draws), std::exp(i / 2.0) / sum, 0.01);
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
  std::vector<float> logits{std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  auto seen = [&](double top_p) {
    Sampler sampler({.temperature = 1, .top_p = top_p});
    std::vector<bool> tokens(3);
    for (int i = 0; i < 500; ++i)
      tokens[sampler.next(logits)] = true;
    return tokens;
  };
  EXPECT_EQ(seen(0.4), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(seen(0.7), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(seen(1.0), (std::vector<bool>{true, true, true}));
}

TEST(Sampler, BadOptionsAndLogitsAreRefused) {
  expectError(ErrorCode::invalidArgument, "the temperature must be 0 or more, got -1",
              [] { Sampler({.temperature = -1}); });
  expectError(ErrorCode::invalidArgument, "top-p must be above 0 and at most 1, got 0",
              [] { Sampler({.top_p = 0}); });
  expectError(ErrorCode::invalidArgument, "got 1.5", [] { Sampler({.top_p = 1.5}); });
  Sampler sampler({});
  expectError(ErrorCode::invalidArgument,
              "sampling requires at least one logit and none that is NaN, got 2 logits",
              [&] { sampler.next(std::vector<float>{0, std::numeric_limits<float>::quiet_NaN()}); });
  expectError(ErrorCode::invalidArgument, "none that is NaN, got 0 logits", [&] { sampler.next({}); });
}

} // namespace
} // namespace linmu::models
