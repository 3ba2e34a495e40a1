#include "models/media/patch_tokenizer.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <tuple>

namespace linmu::media {
namespace {

constexpr int channels = 3;
constexpr int longest_extent = 64;
constexpr float chroma_gain = 4.0f;
constexpr float blue_range = 2 * 0.886f; ///< B - Y' = 1.772 Cb
constexpr float red_range = 2 * 0.701f;  ///< R - Y' = 1.402 Cr

PatchShape checked(int width, PatchShape patch) {
  const auto fits = [](int extent) { return extent >= 1 && extent <= longest_extent; };
  if (!fits(patch.t) || !fits(patch.h) || !fits(patch.w))
    throw Error(ErrorCode::invalidArgument, fmt::format("expected a patch with extents 1..{}, found {}x{}x{}",
                                                        longest_extent, patch.t, patch.h, patch.w));
  if (width < 1 || width > channels * patch.values())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("expected a token width of 1..{} for patches of {}x{}x{}, found {}",
                            channels * patch.values(), patch.t, patch.h, patch.w, width),
                "a larger patch has room for wider tokens");
  return patch;
}

/// All frequencies of one channel, the lowest first.
std::vector<PatchCoefficient> zigzag(PatchShape patch) {
  std::vector<PatchCoefficient> order;
  order.reserve(patch.values());
  for (int t = 0; t < patch.t; ++t)
    for (int h = 0; h < patch.h; ++h)
      for (int w = 0; w < patch.w; ++w)
        order.push_back({.channel = 0, .t = t, .h = h, .w = w, .gain = 1});
  // In integers, so that ties are exact.
  const auto frequency = [patch](const PatchCoefficient &c) {
    return c.t * patch.h * patch.w + c.h * patch.t * patch.w + c.w * patch.t * patch.h;
  };
  std::ranges::sort(order, {},
                    [&](const PatchCoefficient &c) { return std::tuple(frequency(c), c.t, c.h, c.w); });
  for (PatchCoefficient &c : order)
    c.gain = std::pow(1.0f + 16.0f * frequency(c) / patch.values(), 1.5f);
  return order;
}

std::vector<PatchCoefficient> chooseCoefficients(int width, PatchShape patch) {
  const int luma = std::min(width - 2 * (width / 6), patch.values());
  const int red = (width - luma) / 2;
  const int counts[channels] = {luma, width - luma - red, red};
  const std::vector<PatchCoefficient> order = zigzag(patch);
  std::vector<PatchCoefficient> chosen;
  for (int channel = 0; channel < channels; ++channel)
    for (int index = 0; index < counts[channel]; ++index) {
      chosen.push_back(order[index]);
      chosen.back().channel = channel;
      chosen.back().gain *= channel ? chroma_gain : 1.0f;
    }
  return chosen;
}

std::uint8_t toByte(float value) { return std::uint8_t(std::clamp(value * 255.0f + 0.5f, 0.0f, 255.0f)); }

int ceilDivide(int dividend, int divisor) { return (dividend + divisor - 1) / divisor; }

/// The patch at (t, y, x) as channels x [t, h, w], beyond the clip's edges its last frame, row and column.
void readPatch(const Frames &frames, PatchShape patch, int t, int y, int x, float *values) {
  const int block = patch.values();
  for (int i = 0; i < patch.t; ++i)
    for (int j = 0; j < patch.h; ++j)
      for (int k = 0; k < patch.w; ++k, ++values) {
        const std::size_t frame = std::min(t * patch.t + i, frames.count - 1);
        const int row = std::min(y * patch.h + j, frames.size.height - 1);
        const int column = std::min(x * patch.w + k, frames.size.width - 1);
        const std::uint8_t *rgb =
            &frames.rgb[((frame * frames.size.height + row) * frames.size.width + column) * 3];
        const float red = rgb[0] / 255.0f, green = rgb[1] / 255.0f, blue = rgb[2] / 255.0f;
        const float luma = 0.299f * red + 0.587f * green + 0.114f * blue;
        values[0] = luma - 0.5f;
        values[block] = (blue - luma) / blue_range;
        values[2 * block] = (red - luma) / red_range;
      }
}

/// The inverse of readPatch; what lies beyond the clip's edges is dropped.
void writePatch(const float *values, PatchShape patch, int t, int y, int x, Frames &frames) {
  const int block = patch.values();
  for (int i = 0; i < patch.t; ++i)
    for (int j = 0; j < patch.h; ++j)
      for (int k = 0; k < patch.w; ++k, ++values) {
        const int frame = t * patch.t + i, row = y * patch.h + j, column = x * patch.w + k;
        if (frame >= frames.count || row >= frames.size.height || column >= frames.size.width)
          continue;
        const float luma = values[0] + 0.5f;
        const float blue = luma + blue_range * values[block];
        const float red = luma + red_range * values[2 * block];
        const float green = (luma - 0.299f * red - 0.114f * blue) / 0.587f;
        std::uint8_t *rgb =
            &frames.rgb[((std::size_t(frame) * frames.size.height + row) * frames.size.width + column) * 3];
        rgb[0] = toByte(red);
        rgb[1] = toByte(green);
        rgb[2] = toByte(blue);
      }
}

} // namespace

PatchTokenizer::PatchTokenizer(int width, PatchShape patch)
    : patch_(checked(width, patch)), transform_(patch.t, patch.h, patch.w),
      coefficients_(chooseCoefficients(width, patch)) {}

TokenGrid PatchTokenizer::gridOf(int frames, FrameSize size) const {
  return {.t = ceilDivide(frames, patch_.t),
          .h = ceilDivide(size.height, patch_.h),
          .w = ceilDivide(size.width, patch_.w)};
}

VideoTokens PatchTokenizer::tokenize(const Frames &frames, double rms) const {
  if (frames.count < 1 || frames.size.width < 1 || frames.size.height < 1 ||
      frames.rgb.size() != frames.bytesPerFrame() * frames.count)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("expected frames with {} bytes of RGB for {} of {} x {}, found {}",
                            frames.bytesPerFrame() * std::max(frames.count, 0), frames.count,
                            frames.size.width, frames.size.height, frames.rgb.size()));
  if (!(rms > 0) || std::isinf(rms))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("expected a positive RMS of the tokens, found {:g}", rms));
  VideoTokens tokens{.grid = gridOf(frames.count, frames.size),
                     .width = width(),
                     .values = {},
                     .scale = 1,
                     .frames = frames.count,
                     .size = frames.size};
  tokens.values.resize(std::size_t(tokens.grid.tokens()) * tokens.width);
  const int block = patch_.values();
  std::vector<float> patch(channels * block), scratch(block);
  float *value = tokens.values.data();
  double squares = 0;
  for (int t = 0; t < tokens.grid.t; ++t)
    for (int y = 0; y < tokens.grid.h; ++y)
      for (int x = 0; x < tokens.grid.w; ++x) {
        readPatch(frames, patch_, t, y, x, patch.data());
        for (int channel = 0; channel < channels; ++channel)
          transform_.forward(&patch[channel * block], scratch.data());
        for (const PatchCoefficient &c : coefficients_) {
          *value = c.gain * patch[c.channel * block + (c.t * patch_.h + c.h) * patch_.w + c.w];
          squares += double(*value) * *value;
          ++value;
        }
      }
  // Never zero: no 8-bit grey is exactly 0.5, so the mean of some patch is not.
  tokens.scale = float(rms / std::sqrt(squares / tokens.values.size()));
  for (float &each : tokens.values)
    each *= tokens.scale;
  return tokens;
}

Frames PatchTokenizer::detokenize(const VideoTokens &tokens) const {
  const bool any = tokens.frames >= 1 && tokens.size.width >= 1 && tokens.size.height >= 1;
  const TokenGrid grid = any ? gridOf(tokens.frames, tokens.size) : TokenGrid{};
  if (!any || tokens.width != width() || tokens.grid != grid || !(tokens.scale > 0) ||
      tokens.values.size() != std::size_t(grid.tokens()) * width())
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("expected {} tokens of width {} for {} frames of {} x {}, found {} of width {} in {} "
                    "values",
                    toString(grid), width(), tokens.frames, tokens.size.width, tokens.size.height,
                    toString(tokens.grid), tokens.width, tokens.values.size()));
  Frames frames{.count = tokens.frames, .size = tokens.size, .rgb = {}};
  frames.rgb.resize(frames.bytesPerFrame() * frames.count);
  const int block = patch_.values();
  std::vector<float> patch(channels * block), scratch(block);
  const float *value = tokens.values.data();
  for (int t = 0; t < grid.t; ++t)
    for (int y = 0; y < grid.h; ++y)
      for (int x = 0; x < grid.w; ++x) {
        std::ranges::fill(patch, 0.0f);
        for (const PatchCoefficient &c : coefficients_)
          patch[c.channel * block + (c.t * patch_.h + c.h) * patch_.w + c.w] =
              *value++ / (c.gain * tokens.scale);
        for (int channel = 0; channel < channels; ++channel)
          transform_.inverse(&patch[channel * block], scratch.data());
        writePatch(patch.data(), patch_, t, y, x, frames);
      }
  return frames;
}

} // namespace linmu::media
