// Owners of FFmpeg's objects.
#pragma once
#include "models/media/ffmpeg_library.h"
#include <memory>

namespace linmu::media {

struct FfmpegDeleter {
  void operator()(AVFormatContext *format) const { ffmpeg().avformat_close_input(&format); }
  void operator()(AVCodecContext *codec) const { ffmpeg().avcodec_free_context(&codec); }
  void operator()(AVFrame *frame) const { ffmpeg().av_frame_free(&frame); }
  void operator()(AVPacket *packet) const { ffmpeg().av_packet_free(&packet); }
  void operator()(SwsContext *scaler) const { ffmpeg().sws_freeContext(scaler); }
};

template <typename Object> using FfmpegHandle = std::unique_ptr<Object, FfmpegDeleter>;

} // namespace linmu::media
