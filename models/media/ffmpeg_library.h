// FFmpeg's functions, from libraries that are opened when the first video is.
//
// What reads no video runs without FFmpeg and its hundred libraries. They must be of the major versions whose
// headers this was compiled with: the layout of their structs differs between those.
#pragma once
#include <string>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

// Functions of one library each, which is opened after those before it.
#define LINMU_FFMPEG_UTIL(function)                                                                          \
  function(av_dict_free) function(av_dict_set) function(av_display_rotation_get)                             \
      function(av_fourcc_make_string) function(av_frame_alloc) function(av_frame_free)                       \
          function(av_frame_get_side_data) function(av_frame_move_ref) function(av_frame_unref)              \
              function(av_get_media_type_string) function(av_log_default_callback)                           \
                  function(av_log_format_line2) function(av_log_set_callback) function(av_opt_set_int)       \
                      function(av_strerror)
#define LINMU_FFMPEG_CODEC(function)                                                                         \
  function(av_packet_alloc) function(av_packet_free) function(av_packet_unref)                               \
      function(avcodec_alloc_context3) function(avcodec_free_context) function(avcodec_get_name)             \
          function(avcodec_open2) function(avcodec_parameters_to_context) function(avcodec_receive_frame)    \
              function(avcodec_send_packet)
#define LINMU_FFMPEG_FORMAT(function)                                                                        \
  function(av_find_best_stream) function(av_find_input_format) function(av_guess_sample_aspect_ratio)        \
      function(av_read_frame) function(avformat_close_input) function(avformat_find_stream_info)             \
          function(avformat_open_input) function(avformat_version)
#define LINMU_FFMPEG_SCALE(function)                                                                         \
  function(sws_alloc_context) function(sws_freeContext) function(sws_getCoefficients)                        \
      function(sws_init_context) function(sws_scale) function(sws_setColorspaceDetails)
#if LIBAVCODEC_VERSION_MAJOR >= 61
#define LINMU_FFMPEG_SIDE_DATA_CODEC(function) function(av_packet_side_data_get)
#define LINMU_FFMPEG_SIDE_DATA_FORMAT(function)
#else
#define LINMU_FFMPEG_SIDE_DATA_CODEC(function)
#define LINMU_FFMPEG_SIDE_DATA_FORMAT(function) function(av_stream_get_side_data)
#endif

namespace linmu::media {

/// FFmpeg's functions under their own names: ffmpeg().av_frame_alloc().
struct FfmpegLibrary {
#define LINMU_FFMPEG_MEMBER(function) decltype(&::function) function = nullptr;
  LINMU_FFMPEG_UTIL(LINMU_FFMPEG_MEMBER)
  LINMU_FFMPEG_CODEC(LINMU_FFMPEG_MEMBER)
  LINMU_FFMPEG_FORMAT(LINMU_FFMPEG_MEMBER)
  LINMU_FFMPEG_SCALE(LINMU_FFMPEG_MEMBER)
  LINMU_FFMPEG_SIDE_DATA_CODEC(LINMU_FFMPEG_MEMBER)
  LINMU_FFMPEG_SIDE_DATA_FORMAT(LINMU_FFMPEG_MEMBER)
#undef LINMU_FFMPEG_MEMBER
};

/// The libraries, opened by the first call and never closed. Throws Error(unsupported) naming the library
/// that is missing and how to get it.
const FfmpegLibrary &ffmpeg();

/// "libavformat.so.59" and so on: what must be installed.
std::vector<std::string> ffmpegLibraryNames();

} // namespace linmu::media
