// Pictures and short clips as files that any viewer opens, without loss.
#pragma once
#include "models/media/frames.h"
#include <filesystem>

namespace linmu::media {

/// The first of `frames` as PNG, RGB of 8 bits (https://www.w3.org/TR/png-3/). Throws Error(invalidArgument)
/// for no frame, Error(io) if the file system refuses.
void writePng(const std::filesystem::path &path, const Frames &frames);

/// All of `frames` as an animation, GIF89a (https://www.w3.org/Graphics/GIF/spec-gif89a.txt), each shown for
/// `hundredths` of a second. Throws Error(invalidArgument) for no frame, sides above 65535 or more than 256
/// colours in all, Error(io) if the file system refuses.
void writeGif(const std::filesystem::path &path, const Frames &frames, int hundredths = 10);

} // namespace linmu::media
