// The order in which samples come, resuming it, and what becomes of damaged ones.
#include "distill/data/ahead_source.h"
#include "distill/data/batch.h"
#include "distill/data/sample_source.h"
#include "runtime/core/error.h"
#include "tests/unit/expect_error.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <set>
#include <thread>

namespace linmu::distill {
namespace {

using test::expectError;

/// Sample i: i % 5 + 3 tokens of id i; every third has a picture of 1 x 2 x 2 tokens. Some are damaged, and
/// loading takes longer for some than for others.
class NumberedSet final : public SampleSet {
public:
  explicit NumberedSet(std::int64_t size, std::set<std::int64_t> damaged = {})
      : size_(size), damaged_(std::move(damaged)) {}
  std::int64_t size() const override { return size_; }
  Sample load(std::int64_t index) const override {
    std::this_thread::sleep_for(std::chrono::microseconds(index * 37 % 11 * 100));
    if (damaged_.contains(index))
      throw Error(ErrorCode::corruptFile, "set:" + std::to_string(index) + ": is broken");
    if (index == broken_by_a_defect)
      throw Error(ErrorCode::internal, "a defect");
    Sample sample;
    sample.ids.assign(std::size_t(index % 5 + 6), index);
    sample.labels.assign(sample.ids.size(), noLabel);
    sample.labels.back() = index;
    if (index % 3 == 0) {
      sample.media.push_back({1, 1, 2, 2});
      sample.patches.push_back(torch::full({4, 3}, double(index)));
    }
    sample.name = "set:" + std::to_string(index);
    return sample;
  }
  Question question(std::int64_t) const override { return {}; }
  std::string fingerprint() const override { return "numbered " + std::to_string(size_); }
  std::int64_t broken_by_a_defect = -1;

private:
  std::int64_t size_;
  std::set<std::int64_t> damaged_;
};

SampleSource sourceOf(std::int64_t size, SourceOptions options, std::set<std::int64_t> damaged = {}) {
  return SampleSource({{std::make_shared<NumberedSet>(size, std::move(damaged)), 1}}, std::move(options));
}

void expectEqual(const Batch &one, const Batch &other) {
  EXPECT_EQ(one.names, other.names);
  EXPECT_TRUE(torch::equal(one.ids, other.ids));
  EXPECT_TRUE(torch::equal(one.labels, other.labels));
  ASSERT_EQ(one.patches.size(), other.patches.size());
  for (std::size_t i = 0; i < one.patches.size(); ++i)
    EXPECT_TRUE(torch::equal(one.patches[i], other.patches[i]));
}

TEST(SampleSource, TheNumberOfThreadsDoesNotChangeTheOrder) {
  SampleSource one = sourceOf(40, {.batch = 4, .seed = 5, .workers = 1, .ahead = 1});
  SampleSource many = sourceOf(40, {.batch = 4, .seed = 5, .workers = 7, .ahead = 30});
  SampleSource other = sourceOf(40, {.batch = 4, .seed = 6});
  bool differs = false;
  for (int i = 0; i < 25; ++i) { // more than two passes
    const Batch batch = *one.next();
    expectEqual(batch, *many.next());
    differs |= batch.names != other.next()->names;
  }
  EXPECT_TRUE(differs);
}

TEST(SampleSource, ABatchIsPaddedOnTheRightAndOfOneGeometry) {
  SampleSource source = sourceOf(30, {.batch = 5, .padding = 99});
  for (int i = 0; i < 12; ++i) {
    const Batch batch = *source.next();
    const bool media = !batch.layout.media.empty();
    EXPECT_EQ(batch.targets, 5);
    EXPECT_EQ(batch.layout.tokens, batch.ids.size(1));
    EXPECT_EQ(batch.patches.size(), media ? 1u : 0u);
    for (std::int64_t row = 0; row < 5; ++row) {
      const std::int64_t index = batch.ids[row][0].item<std::int64_t>(), length = index % 5 + 6;
      EXPECT_EQ(batch.names[std::size_t(row)], "set:" + std::to_string(index));
      EXPECT_EQ(index % 3 == 0, media);
      EXPECT_TRUE((batch.ids[row].narrow(0, 0, length) == index).all().item<bool>());
      EXPECT_TRUE((batch.ids[row].narrow(0, length, batch.ids.size(1) - length) == 99).all().item<bool>());
      EXPECT_EQ(batch.labels[row][length - 1].item<std::int64_t>(), index);
      EXPECT_EQ((batch.labels[row] == noLabel).sum().item<std::int64_t>(), batch.ids.size(1) - 1);
      if (media)
        EXPECT_TRUE((batch.patches[0][row] == double(index)).all().item<bool>());
    }
  }
}

TEST(SampleSource, EveryPassHasEverySampleOnceInAnotherOrder) {
  SampleSource source = sourceOf(12, {.batch = 1, .seed = 1});
  std::vector<std::vector<std::string>> passes(3);
  for (auto &pass : passes)
    for (int i = 0; i < 12; ++i)
      pass.push_back(source.next()->names[0]);
  for (const auto &pass : passes)
    EXPECT_EQ(std::set<std::string>(pass.begin(), pass.end()).size(), 12u);
  EXPECT_NE(passes[0], passes[1]);
  EXPECT_NE(passes[1], passes[2]);
}

TEST(SampleSource, AfterSeekTheSameBatchesFollow) {
  const SourceOptions options{
      .batch = 4, .seed = 9, .workers = 3, .ahead = 9, .report = [](const std::string &) {}};
  const std::set<std::int64_t> damaged = {3, 8};
  for (int before : {0, 1, 2, 7, 13, 20}) {
    SampleSource source = sourceOf(23, options, damaged);
    for (int i = 0; i < before; ++i)
      source.next();
    const nlohmann::json position = nlohmann::json::parse(source.position().dump());
    SampleSource resumed = sourceOf(23, options, damaged);
    resumed.next(); // a source that has been elsewhere
    resumed.seek(position);
    EXPECT_EQ(resumed.position(), position);
    for (int i = 0; i < 15; ++i)
      expectEqual(*source.next(), *resumed.next());
    EXPECT_EQ(source.position(), resumed.position());
  }
}

TEST(SampleSource, APositionOfOtherDataIsRefused) {
  SampleSource source = sourceOf(10, {.batch = 2}), longer = sourceOf(11, {.batch = 2}),
               wider = sourceOf(10, {.batch = 3});
  expectError(ErrorCode::invalidArgument, {"numbered 11", "numbered 10"},
              [&] { longer.seek(source.position()); });
  expectError(ErrorCode::invalidArgument, {"batches of 3"}, [&] { wider.seek(source.position()); });
  expectError(ErrorCode::invalidArgument, {"cannot be read"}, [&] { source.seek(nlohmann::json::object()); });
  const nlohmann::json position = source.position();
  auto refused = [&](const char *key, const char *value, const char *message) {
    nlohmann::json other = position;
    other[key] = nlohmann::json::parse(value);
    expectError(ErrorCode::invalidArgument, {message}, [&] { source.seek(other); });
  };
  refused("place", "11", "must have an integer from 0 to 10 as 'place', not 11");
  refused("place", "8.6e+77", "must have an integer from 0 to 10 as 'place', not 8.6e+77");
  refused("pass", "1.5", "as 'pass', not 1.5");
  refused("taken", "-1", "as 'taken', not -1");
  refused("skipped", "18446744073709551615", "as 'skipped', not 18446744073709551615");
  refused("waiting", "1", "must have a list of lists as 'waiting'");
  for (const char *group : {"3", "[10]", "[-1]", "[8.6e+77]"})
    refused("waiting", fmt::format("[{}]", group).c_str(),
            fmt::format("must have lists of integers from 0 to 9 in 'waiting', not {}", group).c_str());
}

TEST(SampleSource, AnEvaluationComesOnceAndInOrderWithWhatIsLeft) {
  SampleSource source = sourceOf(11, {.batch = 3, .evaluation = true});
  std::vector<std::string> media, text;
  int batches = 0;
  for (; auto batch = source.next(); ++batches)
    for (const std::string &name : batch->names)
      (batch->layout.media.empty() ? text : media).push_back(name);
  EXPECT_EQ(media, (std::vector<std::string>{"set:0", "set:3", "set:6", "set:9"}));
  EXPECT_EQ(text, (std::vector<std::string>{"set:1", "set:2", "set:4", "set:5", "set:7", "set:8", "set:10"}));
  EXPECT_EQ(batches, 5);
  EXPECT_FALSE(source.next());
}

TEST(SampleSource, DamagedSamplesAreSkippedNamedOnceAndCounted) {
  std::vector<std::string> told;
  SampleSource source =
      sourceOf(10, {.batch = 1, .report = [&](const std::string &line) { told.push_back(line); }}, {2, 7});
  std::set<std::string> seen;
  for (int i = 0; i < 24; ++i)
    seen.insert(source.next()->names[0]);
  EXPECT_EQ(seen.size(), 8u);
  std::ranges::sort(told);
  EXPECT_EQ(told, (std::vector<std::string>{"skipped set:2: is broken", "skipped set:7: is broken"}));
  EXPECT_GE(source.skipped(), 4);
  EXPECT_NE(source.summary().find("set:7"), std::string::npos) << source.summary();
  SampleSource sound = sourceOf(4, {.batch = 1});
  sound.next();
  EXPECT_EQ(sound.summary(), "");
}

TEST(SampleSource, WithNothingButDamageItEndsInsteadOfLookingOn) {
  SampleSource source = sourceOf(3, {.batch = 1, .report = [](const std::string &) {}}, {0, 1, 2});
  expectError(ErrorCode::corruptFile, {"all 3 samples", "is broken"}, [&] { source.next(); });
}

TEST(SampleSource, ADefectIsNoDamage) {
  auto set = std::make_shared<NumberedSet>(4);
  set->broken_by_a_defect = 2;
  SampleSource source({{set, 1}}, {.batch = 4, .evaluation = true});
  expectError(ErrorCode::internal, {"a defect"}, [&] { source.next(); });
}

TEST(SampleSource, RanksShareThePassAndRepeatsWeighSets) {
  std::multiset<std::string> seen;
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    SampleSource source({{std::make_shared<NumberedSet>(4), 2}, {std::make_shared<NumberedSet>(5), 1}},
                        {.batch = 1, .seed = 2, .rank = rank, .ranks = 3});
    EXPECT_EQ(source.length(), 4); // of 13 samples, one is left over
    for (int i = 0; i < 4; ++i)
      seen.insert(source.next()->names[0]);
  }
  EXPECT_EQ(seen.size(), 12u);
  EXPECT_GE(seen.count("set:1"), 2u);
  EXPECT_LE(seen.count("set:4"), 1u);
  expectError(ErrorCode::invalidArgument, {"rank 3 of 3"},
              [] { SampleSource({{std::make_shared<NumberedSet>(4), 1}}, {.rank = 3, .ranks = 3}); });
}

TEST(SampleSource, WhatIsInMemoryIsNotLoadedAgain) {
  struct CountingSet final : SampleSet {
    std::int64_t size() const override { return 10; }
    Sample load(std::int64_t index) const override {
      ++loads;
      Sample sample;
      sample.ids = {index, index};
      sample.labels = {noLabel, index};
      sample.patches.push_back(torch::full({100, 3}, double(index)));
      sample.media.push_back({0, 1, 10, 10});
      return sample;
    }
    Question question(std::int64_t) const override { return {}; }
    std::string fingerprint() const override { return "counted"; }
    mutable std::atomic<int> loads{0};
  };
  auto loadsOfThreePasses = [](std::int64_t memory) {
    auto set = std::make_shared<CountingSet>();
    SampleSource source({{set, 2}}, {.batch = 1, .workers = 1, .ahead = 1, .memory = memory});
    std::map<std::int64_t, int> seen;
    for (int i = 0; i < 60; ++i) {
      const Batch batch = *source.next();
      const std::int64_t index = batch.ids[0][0].item<std::int64_t>();
      ++seen[index];
      EXPECT_TRUE((batch.patches[0] == double(index)).all().item<bool>());
    }
    for (const auto &[index, times] : seen)
      EXPECT_EQ(times, 6) << index;
    return set->loads.load();
  };
  EXPECT_EQ(loadsOfThreePasses(1 << 20), 10);
  EXPECT_EQ(loadsOfThreePasses(0), 60);
  const int half = loadsOfThreePasses(8 * 1024); // of 1,200 bytes of patches and a few hundred each
  EXPECT_GT(half, 20);
  EXPECT_LT(half, 50);
}

AheadSource aheadOf(std::int64_t size, const SourceOptions &options, std::set<std::int64_t> damaged = {}) {
  return AheadSource(
      std::make_unique<SampleSource>(
          std::vector<WeightedSet>{{std::make_shared<NumberedSet>(size, damaged), 1}}, options),
      3, [](Batch batch) { return packed(std::move(batch)); });
}

TEST(AheadSource, BatchesAndPositionsAreTheSources) {
  const SourceOptions options{.batch = 4, .seed = 9, .workers = 2, .report = [](const std::string &) {}};
  SampleSource source = sourceOf(23, options, {3});
  AheadSource ahead = aheadOf(23, options, {3}), resumed = aheadOf(23, options, {3});
  nlohmann::json middle;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(ahead.position(), source.position());
    if (i == 5)
      middle = ahead.position();
    expectEqual(*ahead.next(), *source.next());
  }
  static_cast<void>(resumed.next());
  for (int i = 0; i < 3; ++i) {
    resumed.seek(middle);
    source.seek(middle);
    for (int j = 0; j < 4; ++j)
      expectEqual(*resumed.next(), *source.next());
    EXPECT_EQ(resumed.position(), source.position());
  }
  EXPECT_EQ(resumed.paused().position(), source.position());
  expectEqual(*resumed.next(), *source.next());
}

TEST(AheadSource, AnEndStaysAnEndAndAFailureAFailure) {
  AheadSource once = aheadOf(11, {.batch = 3, .evaluation = true});
  const nlohmann::json start = once.position();
  for (int round = 0; round < 2; ++round, once.seek(start)) {
    int batches = 0;
    while (once.next())
      ++batches;
    EXPECT_EQ(batches, 5);
    EXPECT_FALSE(once.next());
  }
  AheadSource broken = aheadOf(3, {.batch = 1, .report = [](const std::string &) {}}, {0, 1, 2});
  for (int i = 0; i < 2; ++i)
    expectError(ErrorCode::corruptFile, {"all 3 samples"}, [&] { broken.next(); });
}

TEST(Batch, ARanksRowsAreThoseOfTheWholeBatch) {
  const SourceOptions options{.batch = 5, .padding = 99};
  for (const std::int64_t ranks : {1, 2, 3, 7})
    for (const bool in_one : {false, true})
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        SampleSource whole = sourceOf(30, options), own = sourceOf(30, options);
        own.setForm({rank, ranks, in_one, /*pinned=*/false});
        for (int i = 0; i < 4; ++i) {
          const Batch batch = *own.next();
          Batch expected = *whole.next();
          const std::int64_t rows = expected.ids.size(0), first = rank * rows / ranks;
          const std::int64_t count = (rank + 1) * rows / ranks - first;
          for (torch::Tensor *part : {&expected.ids, &expected.labels})
            *part = part->narrow(0, first, count);
          for (torch::Tensor &part : expected.patches)
            part = part.narrow(0, first, count);
          expected.names = {expected.names.begin() + first, expected.names.begin() + first + count};
          expected.targets = (expected.labels != noLabel).sum().item<std::int64_t>();
          expectEqual(batch, expected);
          EXPECT_EQ(batch.packed.defined(), in_one && expected.ids.size(0) > 0);
        }
        EXPECT_EQ(own.position(), whole.position());
      }
}

TEST(Batch, InOnePieceItIsTheSame) {
  SampleSource source = sourceOf(30, {.batch = 5, .padding = 99});
  for (int i = 0; i < 6; ++i) {
    const Batch batch = *source.next(), one = packed(batch);
    expectEqual(one, batch);
    for (const torch::Tensor &part : {one.ids, one.predictions})
      EXPECT_TRUE(part.is_alias_of(one.packed));
    for (const torch::Tensor &part : one.patches)
      EXPECT_TRUE(part.is_alias_of(one.packed));
    // Each row's last token has a label, which the one before it predicts.
    const torch::Tensor next = batch.labels.narrow(1, 1, batch.labels.size(1) - 1).reshape({-1});
    const torch::Tensor at = torch::nonzero(next != noLabel).squeeze(1);
    EXPECT_TRUE(torch::equal(one.predictions, torch::stack({at, next.index_select(0, at)})));
    EXPECT_EQ(one.predictions.size(1), batch.targets);
    EXPECT_TRUE(torch::equal(onDevice(batch, torch::kCPU).predictions, one.predictions));
  }
}

} // namespace
} // namespace linmu::distill
