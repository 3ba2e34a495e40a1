#include "distill/data/media_file.h"
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
