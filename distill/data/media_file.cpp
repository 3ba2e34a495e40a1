#include "distill/data/media_file.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

#ifdef LINMU_HAS_MEDIA
#include "models/media/frame_sampler.h"
#include "models/media/picture_reader.h"

namespace linmu::distill {

media::Frames loadPicture(const std::filesystem::path &path, const models::PreprocessorConfig &config) {
  return media::readPicture(path, config.picture_size);
}

media::Frames loadVideo(const std::filesystem::path &path, const models::PreprocessorConfig &config) {
  return media::sampleFrames(path, {.frames = int(config.video_frames),
                                    .size = config.video_size,
                                    .short_clip = media::ShortClip::holdLast});
}

} // namespace linmu::distill

#else
#include "models/media/png_reader.h"

namespace linmu::distill {

[[noreturn]] static void missing(const std::filesystem::path &path, const std::string &what) {
  throw Error(
      ErrorCode::unsupported,
      fmt::format("{}: this build was configured without FFmpeg, and reads {} only", path.string(), what),
      "install libavformat, libavcodec, libswscale and libavutil, and build again");
}

media::Frames loadPicture(const std::filesystem::path &path, const models::PreprocessorConfig &config) {
  std::optional<media::Frames> png = media::readPng(path);
  if (!png || png->size != config.picture_size)
    missing(path, fmt::format("PNG pictures of 8 bits RGB that have the model's {} x {} pixels",
                              config.picture_size.width, config.picture_size.height));
  return *std::move(png);
}

media::Frames loadVideo(const std::filesystem::path &path, const models::PreprocessorConfig &) {
  missing(path, "pictures");
}

} // namespace linmu::distill
#endif
