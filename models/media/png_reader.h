// PNG files of the simplest kind, without FFmpeg.
#pragma once
#include "models/media/frames.h"
#include <filesystem>
#include <optional>

namespace linmu::media {

/// The picture in a PNG file of 8 bits RGB, not interlaced, at most 8192 x 8192 pixels; nothing for a file of
/// any other kind. Throws Error(io) if there is no such file, Error(corruptFile) for a damaged one.
std::optional<Frames> readPng(const std::filesystem::path &path);

} // namespace linmu::media
