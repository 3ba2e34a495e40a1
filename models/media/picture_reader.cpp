#include "models/media/picture_reader.h"
#include "models/media/png_reader.h"
#include "models/media/video_reader.h"

namespace linmu::media {

Frames readPicture(const std::filesystem::path &path, std::optional<FrameSize> size) {
  // What is no file at all is VideoReader's to name.
  if (std::filesystem::is_regular_file(path))
    if (std::optional<Frames> png = readPng(path); png && (!size || *size == png->size))
      return *std::move(png);
  VideoReader reader(path, size, DamagedVideo::reject, MediaKind::picture);
  Frames frames{.count = 1, .size = reader.frameSize(), .rgb = {}};
  static_cast<void>(reader.next(frames.rgb)); // throws where there is none
  return frames;
}

} // namespace linmu::media
