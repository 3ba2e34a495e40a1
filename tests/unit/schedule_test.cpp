#include "compiler/schedule/key_space.h"
#include "compiler/target/cpu/DefaultSchedule.h"
#include "llvm/ADT/STLExtras.h"
#include <gtest/gtest.h>

using namespace linmu;

static std::string errorOf(llvm::StringRef overrides) {
  llvm::Expected<Schedule> schedule = parseSchedule(overrides, cpu::defaultSchedule(1));
  return schedule ? "" : llvm::toString(schedule.takeError());
}

TEST(Schedule, OverridesAreRead) {
  llvm::Expected<Schedule> schedule = parseSchedule(
      "algorithm=chunked, chunk=64,recurrent_below=0,query_block=16,key_block=24", cpu::defaultSchedule(1));
  ASSERT_TRUE(bool(schedule));
  EXPECT_EQ(schedule->algorithm, Algorithm::chunked);
  EXPECT_EQ(schedule->chunk, 64);
  EXPECT_EQ(schedule->recurrent_below, 0);
  EXPECT_EQ(schedule->query_block, 16);
  EXPECT_EQ(schedule->key_block, 24);
}

TEST(Schedule, BadOverridesNameTheKeyTheExpectedAndTheActual) {
  EXPECT_EQ(errorOf("chunk=12"), "schedule: requires chunk to be a multiple of 8 from 8 to 256, got '12'");
  EXPECT_EQ(errorOf("chunk=x"), "schedule: requires chunk to be a multiple of 8 from 8 to 256, got 'x'");
  EXPECT_EQ(
      errorOf("algorithm=fast"),
      "schedule: requires algorithm to be auto, recurrent, chunked, two_kernels or segmented, got 'fast'");
  EXPECT_EQ(errorOf("recurrent_below=-1"),
            "schedule: requires recurrent_below to be a whole number from 0 to 1048576, got '-1'");
  EXPECT_EQ(errorOf("key_block=0"),
            "schedule: requires key_block to be a multiple of 8 from 8 to 256, got '0'");
  EXPECT_EQ(
      errorOf("lanes=4"),
      "schedule: requires a key out of algorithm, blocks, chunk, columns, cores, fuse, key_block, map_block, "
      "prepare, query_block, recurrent_below, score_growth, segments, warps, whole_blocks and window_share, "
      "got 'lanes'");
  EXPECT_EQ(errorOf("chunk"), "schedule: requires KEY=VALUE, got 'chunk'");
  EXPECT_EQ(errorOf("chunk=8,chunk=16"), "schedule: requires each key once, got 'chunk' twice");
}

TEST(Schedule, EveryKeyOfAnAlgorithmIsDeclaredWithItsRange) {
  auto declared = [](llvm::StringRef name) {
    return llvm::any_of(scheduleKeys(), [&](const ScheduleKey &key) {
      return key.name == name && std::holds_alternative<NumberKey>(key.values);
    });
  };
  for (const AlgorithmSpace &space : algorithmSpaces())
    for (llvm::StringRef key : space.keys)
      EXPECT_TRUE(declared(key)) << space.name.str() << " takes " << key.str();
  // What the text may force is an algorithm with a space of its own.
  for (Algorithm algorithm : algorithms)
    EXPECT_EQ(algorithm == Algorithm::automatic, llvm::none_of(algorithmSpaces(), [&](const auto &space) {
                return space.name == nameOf(algorithm);
              }));
  EXPECT_EQ(algorithmsWith("chunk"), "chunked, two_kernels or segmented");
}

TEST(Schedule, BothEndsOfEachRangeAreTaken) {
  for (const ScheduleKey &key : scheduleKeys())
    if (auto *number = std::get_if<NumberKey>(&key.values))
      for (std::int64_t value : {number->minimum, number->maximum}) {
        auto text = [&](std::int64_t v) { return key.name.str() + "=" + std::to_string(v); };
        llvm::Expected<Schedule> schedule = parseSchedule(text(value), cpu::defaultSchedule(1));
        ASSERT_TRUE(bool(schedule));
        EXPECT_EQ((*schedule).*number->field, value);
        EXPECT_EQ(schedule->given, std::set<std::string>{key.name.str()});
        std::int64_t outside = value == number->minimum ? value - number->multiple : value + number->multiple;
        EXPECT_NE(errorOf(text(outside)), "");
      }
}

TEST(Schedule, ChunksShrinkUntilTheirTilesFitTheCache) {
  EXPECT_EQ(chooseChunk({{64, 64, 1, 1}}, cpu::defaultSchedule(1)), 16);
  EXPECT_EQ(chooseChunk({{128, 128, 2, 1}}, cpu::defaultSchedule(1)), 16);
  EXPECT_EQ(chooseChunk({{320, 512, 2, 2}}, cpu::defaultSchedule(1)), 16);
  EXPECT_EQ(chooseChunk({{1024, 1024, 1, 1}}, cpu::defaultSchedule(1)), 8);
  Schedule fixed = cpu::defaultSchedule(1);
  fixed.chunk = 128;
  EXPECT_EQ(chooseChunk({{1024, 1024, 1, 1}}, fixed), 128);
}

TEST(Schedule, ChunksOfBordersShrinkUntilTheyFitABlock) {
  Schedule large = cpu::defaultSchedule(1);
  large.costs.chunk = 64;
  large.costs.border_cache = 232448;
  Schedule small = large;
  small.costs.border_cache = 166912;
  StateCost state{128, 128, 1, 1};
  EXPECT_EQ(chooseChunkOfBorders(state, 2, large), 64);
  EXPECT_EQ(chooseChunkOfBorders(state, 2, small), 64);
  EXPECT_EQ(chooseChunkOfBorders(state, 4, large), 32);
  EXPECT_EQ(chooseChunkOfBorders(state, 4, small), 16);
  large.chunk = 64;
  EXPECT_EQ(chooseChunkOfBorders(state, 4, large), 64);
}

TEST(Schedule, CoresThatHeadsLeaveIdleTakeColumnsOrSegments) {
  auto split = [](StateCost state, std::int64_t cores, std::int64_t heads, bool columns = true) {
    ScanCost scan{.states = {state}, .chunk = 16, .columns = columns ? state.value_size : 1, .heads = heads};
    ScanSplit split = chooseSplit(scan, cpu::defaultSchedule(cores));
    return std::array{split.columns, split.segments, split.columns || split.segments ? split.tokens : 0};
  };
  using Split = std::array<std::int64_t, 3>;
  EXPECT_EQ(split({64, 64, 1, 1}, 2, 1), (Split{32, 0, 256}));
  EXPECT_EQ(split({64, 64, 1, 1}, 2, 2), (Split{0, 0, 0}));
  // Too few columns, or columns that depend on each other.
  EXPECT_EQ(split({64, 16, 1, 1}, 2, 1), (Split{0, 2, 256}));
  EXPECT_EQ(split({64, 64, 1, 1}, 2, 1, false), (Split{0, 2, 256}));
  // The ends of segments cost more with feedback, and the way over them takes one core.
  EXPECT_EQ(split({64, 64, 1, 1, true}, 2, 1, false), (Split{0, 0, 0}));
  EXPECT_EQ(split({64, 64, 1, 1, true}, 16, 1, false), (Split{0, 16, 3150}));
}

TEST(Schedule, AWindowsKeysAreTakenAtOnceWhereTheyFitTheCacheElseByBlocks) {
  auto tiles = [](WindowSizes sizes, const Schedule &schedule = cpu::defaultSchedule(1)) {
    WindowTiles tiles = chooseWindowTiles(sizes, schedule);
    return std::array{tiles.queries, tiles.keys, tiles.whole};
  };
  EXPECT_EQ(tiles({256, 64, 64}), (std::array<std::int64_t, 3>{32, 64, 256}));
  EXPECT_EQ(tiles({1024, 64, 64}), (std::array<std::int64_t, 3>{32, 64, 1024}));
  EXPECT_EQ(tiles({1025, 64, 64}), (std::array<std::int64_t, 3>{32, 64, 64}));
  EXPECT_EQ(tiles({1024, 1, 1}), (std::array<std::int64_t, 3>{32, 64, 1024}));
  EXPECT_EQ(tiles({1025, 1, 1}), (std::array<std::int64_t, 3>{32, 64, 64}));
  EXPECT_EQ(tiles({512, 256, 256}), (std::array<std::int64_t, 3>{32, 64, 64}));
  EXPECT_EQ(tiles({INT32_MAX, 64, 64}), (std::array<std::int64_t, 3>{32, 64, 64}));
  // A window's tiles are no larger than the window, in whole vectors.
  EXPECT_EQ(tiles({18, 64, 64}), (std::array<std::int64_t, 3>{24, 24, 24}));
  Schedule fixed = cpu::defaultSchedule(1);
  fixed.key_block = 16;
  EXPECT_EQ(tiles({256, 64, 64}, fixed), (std::array<std::int64_t, 3>{32, 16, 16}));
}
