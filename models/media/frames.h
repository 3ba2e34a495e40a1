// Decoded pictures in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace linmu::media {

struct FrameSize {
  int width = 0;
  int height = 0;
  bool operator==(const FrameSize &) const = default;
};

/// `count` pictures, RGB, 8 bits a channel, full range: `rgb` is [count, height, width, 3], row-major.
struct Frames {
  int count = 0;
  FrameSize size;
  std::vector<std::uint8_t> rgb;

  std::size_t bytesPerFrame() const { return std::size_t(size.width) * size.height * 3; }
  std::span<const std::uint8_t> frame(int index) const {
    return std::span(rgb).subspan(index * bytesPerFrame(), bytesPerFrame());
  }
};

/// Peak signal-to-noise ratio in dB over all values, 10 log10(255^2 / mean squared difference); infinite for
/// equal frames. Throws Error(invalidArgument) if counts or sizes differ.
double peakSignalToNoise(const Frames &left, const Frames &right);

} // namespace linmu::media
