// A picture file as one RGB frame.
#pragma once
#include "models/media/frames.h"
#include <filesystem>
#include <optional>

namespace linmu::media {

/// The picture in a PNG, JPEG, BMP, GIF or WebP file, resized (bicubic) to `size` if given. PNG of 8 bits RGB
/// that needs no resizing is read without FFmpeg. Errors name the file, what was expected and what was found:
/// Error(io) for a file that cannot be opened, Error(invalidArgument) for one that is no picture,
/// Error(corruptFile) for a damaged one.
Frames readPicture(const std::filesystem::path &path, std::optional<FrameSize> size = std::nullopt);

} // namespace linmu::media
