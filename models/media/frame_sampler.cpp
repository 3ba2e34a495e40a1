#include "models/media/frame_sampler.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>

namespace linmu::media {

int countFrames(const std::filesystem::path &path, DamagedVideo damaged) {
  VideoReader reader(path, std::nullopt, damaged);
  int count = 0;
  while (reader.skip())
    ++count;
  return count;
}

std::vector<int> sampleIndices(int available, int frames, ShortClip short_clip) {
  if (available < 1 || frames < 1)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("expected at least 1 frame to take and 1 to take it from, found {} and {}",
                            frames, available));
  if (available < frames && short_clip == ShortClip::reject)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("expected at least {} frames, found {}", frames, available),
                "ask for fewer frames, or choose ShortClip::holdLast or ShortClip::loop");
  std::vector<int> indices(frames);
  for (int k = 0; k < frames; ++k) {
    if (available >= frames)
      indices[k] = int((2 * std::int64_t(k) + 1) * available / (2 * std::int64_t(frames)));
    else
      indices[k] = short_clip == ShortClip::loop ? k % available : std::min(k, available - 1);
  }
  return indices;
}

Frames sampleFrames(const std::filesystem::path &path, const FrameSampling &sampling) {
  return sampleFrames(path, sampling, countFrames(path, sampling.damaged));
}

Frames sampleFrames(const std::filesystem::path &path, const FrameSampling &sampling, int available) {
  std::vector<int> indices;
  try {
    indices = sampleIndices(available, sampling.frames, sampling.short_clip);
  } catch (const Error &error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.what()), error.hint());
  }
  VideoReader reader(path, sampling.size == FrameSize{} ? std::nullopt : std::optional(sampling.size),
                     sampling.damaged);
  Frames frames{.count = sampling.frames, .size = reader.frameSize(), .rgb = {}};
  frames.rgb.resize(frames.bytesPerFrame() * frames.count);
  const int last = *std::ranges::max_element(indices);
  std::vector<std::uint8_t> rgb;
  for (int index = 0; index <= last; ++index) {
    const bool wanted = std::ranges::find(indices, index) != indices.end();
    if (!(wanted ? reader.next(rgb) : reader.skip()))
      throw Error(ErrorCode::corruptFile, fmt::format("{}: expected {} frames, found {}: it changed while it "
                                                      "was read",
                                                      path.string(), available, index));
    for (int k = 0; wanted && k < frames.count; ++k)
      if (indices[k] == index)
        std::ranges::copy(rgb, frames.rgb.begin() + k * frames.bytesPerFrame());
  }
  return frames;
}

double peakSignalToNoise(const Frames &left, const Frames &right) {
  if (left.count != right.count || left.size != right.size || left.rgb.size() != right.rgb.size())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("expected {} frames of {} x {}, found {} of {} x {}", left.count, left.size.width,
                            left.size.height, right.count, right.size.width, right.size.height));
  double squares = 0;
  for (std::size_t index = 0; index < left.rgb.size(); ++index) {
    const double difference = double(left.rgb[index]) - right.rgb[index];
    squares += difference * difference;
  }
  return squares == 0 ? std::numeric_limits<double>::infinity()
                      : 10.0 * std::log10(255.0 * 255.0 * left.rgb.size() / squares);
}

} // namespace linmu::media
