// Frames spread evenly over a clip.
#pragma once
#include "models/media/video_reader.h"

namespace linmu::media {

/// What to do with a clip of fewer frames than are asked for.
enum class ShortClip {
  reject,   ///< Error(invalidArgument)
  holdLast, ///< every frame once, then the last one again and again
  loop      ///< every frame once, then from the first one again
};

struct FrameSampling {
  int frames = 0;      ///< how many to take, at least 1
  FrameSize size = {}; ///< of the result; 0 x 0: as they are
  ShortClip short_clip = ShortClip::reject;
  DamagedVideo damaged = DamagedVideo::reject;
};

/// The number of frames that decode, by decoding them. Errors as in VideoReader.
int countFrames(const std::filesystem::path &path, DamagedVideo damaged = DamagedVideo::reject);

/// Which of `available` frames make up `frames` samples, ascending but for ShortClip::loop: the middles of
/// `frames` equal parts of the clip, floor((k + 1/2) available / frames). Throws Error(invalidArgument) for a
/// clip that is too short under ShortClip::reject, and if either number is not positive.
std::vector<int> sampleIndices(int available, int frames, ShortClip short_clip);

/// Decodes the clip twice: to count (so the spread is exact, whatever the container declares) and to take.
/// Errors as in VideoReader and sampleIndices; a too short clip is named.
Frames sampleFrames(const std::filesystem::path &path, const FrameSampling &sampling);

/// The same for a clip of which `available`, from countFrames, is known.
Frames sampleFrames(const std::filesystem::path &path, const FrameSampling &sampling, int available);

} // namespace linmu::media
