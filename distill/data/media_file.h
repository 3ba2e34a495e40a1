// Pictures and videos of data sets, at the size and number of frames that a model reads.
#pragma once
#include "models/media/frames.h"
#include "models/vision/preprocessor.h"
#include <filesystem>

namespace linmu::distill {

// In a build without FFmpeg both throw Error(unsupported) but for PNG pictures that need no resizing.

/// Resized. Throws Error as media::readPicture does.
media::Frames loadPicture(const std::filesystem::path &path, const models::PreprocessorConfig &config);

/// Resized; of a video with fewer frames than the model reads, the last one again and again. Throws Error as
/// media::sampleFrames does.
media::Frames loadVideo(const std::filesystem::path &path, const models::PreprocessorConfig &config);

} // namespace linmu::distill
