// A video file as a sequence of RGB frames, decoded by FFmpeg.
#pragma once
#include "models/media/frames.h"
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace linmu::media {

/// What to do with a stream that breaks off or does not decode cleanly.
enum class DamagedVideo {
  reject,  ///< Error(corruptFile) at the first damage
  tolerate ///< frames that the decoder can conceal are used, others are left out
};

/// What a file must be. A picture is one frame.
enum class MediaKind { video, picture };

struct VideoInfo {
  FrameSize size;               ///< as displayed: the first frame after rotation
  double aspect = 0;            ///< width / height as displayed, non-square pixels considered
  double frames_per_second = 0; ///< average
  double seconds =
      0; ///< as the container declares; 0 if it does not. Of several transport streams the first one's
  std::string codec;     ///< FFmpeg's name: "h264"
  std::string container; ///< FFmpeg's name: "mov,mp4,m4a,3gp,3g2,mj2"
};

/// Frames in display order. A file with several video streams is read at the one FFmpeg holds for the best.
/// Only local files are opened, and of containers only those of audio and video: no playlist can make a
/// reader fetch something else. Transport streams one behind the other are one clip. Frames are shown the way
/// up that they say themselves, or else their stream. Not thread-safe; different readers are independent.
///
/// Errors name the file, what was expected and what was found: Error(io) for a file that cannot be opened,
/// Error(invalidArgument) for one that is no video, Error(corruptFile) for a damaged one, Error(unsupported)
/// for a codec that this FFmpeg lacks or frames of more than 8192 x 8192 pixels.
class VideoReader {
public:
  /// Frames are resized (bicubic, in display orientation) to `size`, if given; both sides 1..8192.
  explicit VideoReader(const std::filesystem::path &path, std::optional<FrameSize> size = std::nullopt,
                       DamagedVideo damaged = DamagedVideo::reject, MediaKind kind = MediaKind::video);
  ~VideoReader();
  VideoReader(VideoReader &&) noexcept;
  VideoReader &operator=(VideoReader &&) noexcept;

  const VideoInfo &info() const;

  /// Size of the frames that `next` returns.
  FrameSize frameSize() const;

  /// Decodes the next frame into `rgb` ([height, width, 3], resized as needed); false after the last one.
  bool next(std::vector<std::uint8_t> &rgb);

  /// Decodes the next frame and drops it, without converting it; false after the last one.
  bool skip();

  /// Seconds from the start of the frame that `next` or `skip` went past last, as its time stamp says.
  double seconds() const;

private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

} // namespace linmu::media
