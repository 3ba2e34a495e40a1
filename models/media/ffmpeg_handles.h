// Owners of FFmpeg's objects.
#pragma once
#include <memory>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

namespace linmu::media {

struct FfmpegDeleter {
  void operator()(AVFormatContext *format) const { avformat_close_input(&format); }
  void operator()(AVCodecContext *codec) const { avcodec_free_context(&codec); }
  void operator()(AVFrame *frame) const { av_frame_free(&frame); }
  void operator()(AVPacket *packet) const { av_packet_free(&packet); }
  void operator()(SwsContext *scaler) const { sws_freeContext(scaler); }
};

template <typename Object> using FfmpegHandle = std::unique_ptr<Object, FfmpegDeleter>;

} // namespace linmu::media
