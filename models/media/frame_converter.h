// From a decoder's frame (YUV of some kind, perhaps rotated) to RGB of a given size.
#pragma once
#include "models/media/ffmpeg_handles.h"
#include "models/media/frames.h"
#include <cstdint>

namespace linmu::media {

/// Keeps the scalers of the last frame's format, so that a stream costs one set-up.
class FrameConverter {
public:
  /// `size`: of the result.
  explicit FrameConverter(FrameSize size) : size_(size) {}

  /// `quarter_turns` (0..3): clockwise rotation that brings the frame upright. Bicubic resize and conversion
  /// with the matrix and range that the frame declares (BT.601 where it does not and fewer than 720 lines,
  /// else BT.709), of interlaced frames each field by itself where lines stay lines. Returns an FFmpeg
  /// status, negative on failure.
  int convert(const AVFrame &frame, int quarter_turns, std::vector<std::uint8_t> &rgb);

private:
  /// What a scaler is made for.
  struct Form {
    int width = 0, lines = 0, format = 0, fields = 0;
    FrameSize size;
    bool operator==(const Form &) const = default;
  };
  struct Scaler {
    Form form;
    FfmpegHandle<SwsContext> context;
  };
  SwsContext *scalerOf(const AVFrame &frame, int field, int fields, FrameSize size);
  int scale(const AVFrame &frame, int field, int fields, FrameSize size, int stride);

  FrameSize size_;
  Scaler scalers_[2]; ///< of frames and of first fields; of second fields
  std::vector<std::uint8_t> decoded_;
};

} // namespace linmu::media
