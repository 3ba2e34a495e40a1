// Grids, the cosine transform and the patch tokenizer.
#include "models/media/clip_tokens.h"
#include "quiet_moment.h"
#include "tests/unit/expect_error.h"
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <numbers>
#include <numeric>
#include <random>

namespace linmu::media {
namespace {

using test::expectError;

const std::filesystem::path clips = LINMU_CLIPS_DIR;

Frames noise(int count, FrameSize size) {
  Frames frames{.count = count, .size = size, .rgb = {}};
  std::mt19937 random(3);
  frames.rgb.resize(frames.bytesPerFrame() * count);
  for (std::uint8_t &each : frames.rgb)
    each = std::uint8_t(random());
  return frames;
}

double rmsOf(const std::vector<float> &values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0) / values.size());
}

TEST(PlanClip, keepsAbout256TokensAStepWhileTheClipLasts) {
  const auto grid = [](int tokens, int frames, double aspect) {
    return toString(planClip(tokens, frames, aspect).grid);
  };
  EXPECT_EQ(grid(512, 132, 16.0 / 9), "2x16x16");
  EXPECT_EQ(grid(8192, 132, 16.0 / 9), "32x16x16");
  EXPECT_EQ(grid(32768, 256, 16.0 / 9), "128x16x16");
  EXPECT_EQ(grid(32768, 250, 16.0 / 9), "64x16x32") << "125 steps at most: more tokens a step";
  EXPECT_EQ(grid(4096, 250, 640.0 / 272), "16x8x32");
  EXPECT_EQ(grid(4096, 250, 272.0 / 640), "16x32x8") << "a tall clip is the wide one turned";
  EXPECT_EQ(grid(1000, 250, 1.0), "2x20x25") << "any number with small factors";
}

TEST(PlanClip, coversTheGridExactlyAndNeverAsksForMoreFramesThanThereAre) {
  for (int tokens : {512, 1024, 2048, 4096, 8192, 32768})
    for (int frames : {16, 120, 132, 250, 9000}) {
      const ClipPlan plan = planClip(tokens, frames, 1.5);
      EXPECT_EQ(plan.grid.tokens(), tokens);
      EXPECT_LE(plan.frames, frames);
      EXPECT_EQ(plan.frames, 2 * plan.grid.t);
      EXPECT_EQ(plan.size, (FrameSize{16 * plan.grid.w, 16 * plan.grid.h}));
    }
}

TEST(PlanClip, refusesWhatHasNoSensibleGrid) {
  expectError(ErrorCode::invalidArgument,
              {"expected a clip that 1009 tokens of 2x16x16 fit, found 250 frames of aspect 1.50",
               "choose a number of tokens with small factors, or a longer clip"},
              [] { planClip(1009, 250, 1.5); });
  expectError(ErrorCode::invalidArgument, {"1 frames"}, [] { planClip(512, 1, 1.5); });
  expectError(
      ErrorCode::invalidArgument,
      {"expected positive numbers of tokens, frames, aspect and patch, found 0, 250, 1.5 and 2x16x16"},
      [] { planClip(0, 250, 1.5); });
  expectError(ErrorCode::invalidArgument, {"positive"}, [] { planClip(512, 250, 0.0); });
}

TEST(CosineTransform, equalsItsDefinitionAndItsInverseUndoesIt) {
  const int t = 2, h = 3, w = 5;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> block(t * h * w), scratch(block.size());
  for (float &each : block)
    each = normal(random);
  const std::vector<float> input = block;
  const auto basis = [](int f, int x, int n) {
    return std::sqrt((f ? 2.0 : 1.0) / n) * std::cos(std::numbers::pi * (2 * x + 1) * f / (2.0 * n));
  };
  const CosineTransform transform(t, h, w);
  transform.forward(block.data(), scratch.data());
  for (int i = 0; i < t; ++i)
    for (int j = 0; j < h; ++j)
      for (int k = 0; k < w; ++k) {
        double expected = 0;
        for (int a = 0; a < t; ++a)
          for (int b = 0; b < h; ++b)
            for (int c = 0; c < w; ++c)
              expected += input[(a * h + b) * w + c] * basis(i, a, t) * basis(j, b, h) * basis(k, c, w);
        EXPECT_NEAR(block[(i * h + j) * w + k], expected, 2e-6) << "sums of 30 values of about 1 in f32";
      }
  transform.inverse(block.data(), scratch.data());
  for (std::size_t index = 0; index < block.size(); ++index)
    EXPECT_NEAR(block[index], input[index], 2e-6);
}

TEST(PatchTokenizer, ordersFrequenciesAsDocumented) {
  const PatchTokenizer tokenizer(576);
  const auto &order = tokenizer.coefficients();
  const auto at = [&](int index) {
    return std::tuple(order[index].channel, order[index].t, order[index].h, order[index].w);
  };
  EXPECT_EQ(at(0), std::tuple(0, 0, 0, 0));
  EXPECT_EQ(at(1), std::tuple(0, 0, 0, 1));
  EXPECT_EQ(at(2), std::tuple(0, 0, 1, 0));
  EXPECT_EQ(at(3), std::tuple(0, 0, 0, 2));
  // 36 frequencies have j + k < 8; then i = 0, j + k = 8 (9 of them), and i = 1 ties with j = k = 0.
  EXPECT_EQ(at(36), std::tuple(0, 0, 0, 8));
  EXPECT_EQ(at(45), std::tuple(0, 1, 0, 0));
  EXPECT_EQ(at(384), std::tuple(1, 0, 0, 0));
  EXPECT_EQ(at(480), std::tuple(2, 0, 0, 0));
  EXPECT_FLOAT_EQ(order[0].gain, 1);
  EXPECT_FLOAT_EQ(order[1].gain, std::pow(2.0f, 1.5f)) << "f = 1/16";
  EXPECT_FLOAT_EQ(order[384].gain, 4);
}

TEST(PatchTokenizer, dividesTheWidthBetweenLumaAndChroma) {
  const auto counts = [](int width) {
    const PatchTokenizer tokenizer(width);
    std::array<int, 3> result{};
    for (const PatchCoefficient &each : tokenizer.coefficients())
      ++result[each.channel];
    return result;
  };
  EXPECT_EQ(counts(576), (std::array{384, 96, 96}));
  EXPECT_EQ(counts(1), (std::array{1, 0, 0}));
  EXPECT_EQ(counts(896), (std::array{512, 192, 192})) << "luma has no more than 512";
  EXPECT_EQ(counts(1535), (std::array{512, 512, 511}));
  EXPECT_EQ(counts(1536), (std::array{512, 512, 512}));
}

TEST(PatchTokenizer, tokensHaveTheRmsAskedFor) {
  const Frames frames = sampleFrames(clips / "bikes.mp4", {.frames = 8, .size = {256, 128}});
  for (double rms : {0.13, 1.0, 40.0})
    EXPECT_NEAR(rmsOf(PatchTokenizer(576).tokenize(frames, rms).values) / rms, 1.0, 1e-5)
        << "the rounding of one factor in f32";
}

TEST(PatchTokenizer, greyIsItsMeanAndNothingElse) {
  Frames frames{.count = 2, .size = {16, 16}, .rgb = {}};
  frames.rgb.assign(frames.bytesPerFrame() * 2, 200);
  const VideoTokens tokens = PatchTokenizer(576).tokenize(frames, 1.0);
  EXPECT_NEAR(tokens.values[0], std::sqrt(576.0), 1e-3) << "all of an RMS of 1 is in one of 576 features";
  EXPECT_NEAR(tokens.values[0] / tokens.scale, (200 / 255.0 - 0.5) * std::sqrt(512.0), 1e-4);
  for (int feature = 1; feature < 576; ++feature)
    // Cosines in f32 cancel to 1e-6 of the mean, times a gain of up to 200.
    EXPECT_NEAR(tokens.values[feature], 0.0, 24 * 2e-4) << feature;
}

TEST(PatchTokenizer, tokensLieInRasterOrder) {
  Frames frames{.count = 4, .size = {48, 32}, .rgb = {}};
  frames.rgb.assign(frames.bytesPerFrame() * 4, 0);
  // One white patch: step 1, row 0, column 2.
  for (int frame : {2, 3})
    for (int y = 0; y < 16; ++y)
      std::fill_n(&frames.rgb[frame * frames.bytesPerFrame() + (y * 48 + 32) * 3], 16 * 3, 255);
  const VideoTokens tokens = PatchTokenizer(12).tokenize(frames, 1.0);
  ASSERT_EQ(tokens.grid, (TokenGrid{2, 2, 3}));
  for (int token = 0; token < 12; ++token)
    EXPECT_EQ(tokens.values[token * 12] > 0, token == (1 * 2 + 0) * 3 + 2) << token;
}

TEST(PatchTokenizer, everyFeatureKeptIsEveryBitKept) {
  // 3 frames of 20 x 18 are padded to 4 of 32 x 32 and cut again.
  const Frames frames = noise(3, {20, 18});
  const PatchTokenizer tokenizer(1536);
  const VideoTokens tokens = tokenizer.tokenize(frames, 0.5);
  EXPECT_EQ(tokens.grid, (TokenGrid{2, 2, 2}));
  const Frames back = tokenizer.detokenize(tokens);
  EXPECT_EQ(back.size, frames.size);
  EXPECT_EQ(back.rgb, frames.rgb);
}

TEST(PatchTokenizer, otherPatchesWorkToo) {
  const Frames frames = noise(5, {30, 30});
  const PatchTokenizer tokenizer(3 * 4 * 8 * 10, {.t = 4, .h = 8, .w = 10});
  const VideoTokens tokens = tokenizer.tokenize(frames, 1.0);
  EXPECT_EQ(tokens.grid, (TokenGrid{2, 4, 3}));
  EXPECT_EQ(tokenizer.detokenize(tokens).rgb, frames.rgb);
}

TEST(PatchTokenizer, keepsRealClipsAbove30DecibelsAt576Of1536) {
  for (const char *name : {"bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4"}) {
    const Frames frames = sampleFrames(clips / name, {.frames = 16, .size = {256, 256}});
    const PatchTokenizer tokenizer(576);
    const double decibels = peakSignalToNoise(frames, tokenizer.detokenize(tokenizer.tokenize(frames, 0.13)));
    EXPECT_GT(decibels, 30.0) << name;
    const PatchTokenizer narrow(96);
    EXPECT_LT(peakSignalToNoise(frames, narrow.detokenize(narrow.tokenize(frames, 0.13))), decibels)
        << name << ": fewer features keep less";
  }
}

TEST(PatchTokenizer, isDeterministicAndHandles8192TokensInUnderASecond) {
  const Frames frames = noise(64, {256, 256});
  const PatchTokenizer tokenizer(576);
  const VideoTokens first = tokenizer.tokenize(frames, 1.0);
  VideoTokens second;
  const double seconds = leastSeconds(1.0, 1, [&] { second = tokenizer.tokenize(frames, 1.0); });
  EXPECT_EQ(first.values, second.values);
  EXPECT_EQ(second.grid.tokens(), 8192);
  EXPECT_LT(seconds, 1.0);
  RecordProperty("seconds", std::to_string(seconds));
}

TEST(PatchTokenizer, refusesWhatDoesNotFit) {
  expectError(ErrorCode::invalidArgument,
              {"a token width of 1..1536 for patches of 2x16x16, found 1537",
               "a larger patch has room for wider tokens"},
              [] { PatchTokenizer tokenizer(1537); });
  expectError(ErrorCode::invalidArgument, {"found 0"}, [] { PatchTokenizer tokenizer(0); });
  expectError(ErrorCode::invalidArgument, {"expected a patch with extents 1..64, found 2x0x16"},
              [] { PatchTokenizer tokenizer(8, {.t = 2, .h = 0, .w = 16}); });
  const PatchTokenizer tokenizer(576);
  Frames frames = noise(2, {16, 16});
  expectError(ErrorCode::invalidArgument, {"expected a positive RMS of the tokens, found -1"},
              [&] { tokenizer.tokenize(frames, -1); });
  VideoTokens tokens = tokenizer.tokenize(frames, 1.0);
  frames.rgb.pop_back();
  expectError(ErrorCode::invalidArgument,
              {"expected frames with 1536 bytes of RGB for 2 of 16 x 16, found 1535"},
              [&] { tokenizer.tokenize(frames, 1); });
  expectError(ErrorCode::invalidArgument, {"found 0"}, [&] { tokenizer.tokenize(Frames{}, 1); });
  expectError(
      ErrorCode::invalidArgument,
      {"expected 1x1x1 tokens of width 100 for 2 frames of 16 x 16, found 1x1x1 of width 576 in 576 values"},
      [&] { PatchTokenizer(100).detokenize(tokens); });
  tokens.grid.t = 2;
  expectError(ErrorCode::invalidArgument, {"1x1x1", "2x1x1"}, [&] { tokenizer.detokenize(tokens); });
}

TEST(PeakSignalToNoise, isInfiniteForEqualFramesAndFollowsItsDefinition) {
  Frames left = noise(1, {8, 8}), right = left;
  EXPECT_TRUE(std::isinf(peakSignalToNoise(left, right)));
  right.rgb[0] = std::uint8_t(left.rgb[0] ^ 1);
  EXPECT_NEAR(peakSignalToNoise(left, right), 10 * std::log10(255.0 * 255.0 * 192), 1e-9);
  right.count = 2;
  expectError(ErrorCode::invalidArgument, {"expected 1 frames of 8 x 8, found 2 of 8 x 8"},
              [&] { peakSignalToNoise(left, right); });
}

} // namespace
} // namespace linmu::media
