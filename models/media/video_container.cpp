#include "models/media/video_container.h"
#include <fmt/format.h>

namespace linmu::media {
namespace {

// Probing is limited to these: FFmpeg would otherwise render a text file as video, or follow a playlist.
constexpr const char *containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,"
                                   "ogg,gif,nut,ivf,mxf,rm,swf,wtv,dv,"
                                   "h264,hevc,av1,obu,m4v,vc1,yuv4mpegpipe,wav,mp3,flac,aac";
constexpr const char *picture_formats = "png_pipe,jpeg_pipe,bmp_pipe,webp_pipe,gif";

/// For messages: "a video file" or "a picture file".
const char *fileOf(MediaKind kind) { return kind == MediaKind::video ? "a video file" : "a picture file"; }

} // namespace

void failVideo(ErrorCode code, const std::filesystem::path &path, const std::string &expected,
               const std::string &found) {
  throw Error(code, fmt::format("{}: expected {}, found {}", path.string(), expected, found));
}

FfmpegHandle<AVFormatContext> openContainer(const std::filesystem::path &path, MediaKind media,
                                            std::optional<FilePart> part, const FfmpegLog &log) {
  std::error_code status;
  const std::string wanted = fileOf(media);
  const auto kind = std::filesystem::status(path, status).type();
  if (kind == std::filesystem::file_type::not_found)
    failVideo(ErrorCode::io, path, wanted, "no such file");
  if (kind == std::filesystem::file_type::directory)
    failVideo(ErrorCode::io, path, wanted, "a directory");
  if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::none)
    failVideo(ErrorCode::io, path, wanted + ", which is read more than once and at any place",
              kind == std::filesystem::file_type::fifo ? "a FIFO" : "a device or socket");
  if (kind == std::filesystem::file_type::regular && std::filesystem::file_size(path, status) == 0 && !status)
    failVideo(ErrorCode::invalidArgument, path, wanted, "an empty file");

  AVDictionary *options = nullptr;
  ffmpeg().av_dict_set(&options, "format_whitelist", media == MediaKind::video ? containers : picture_formats,
                       0);
  ffmpeg().av_dict_set(&options, "protocol_whitelist", part ? "file,subfile" : "file", 0);
  std::string url = "file:" + path.string();
  if (part) {
    url = "subfile:" + url;
    ffmpeg().av_dict_set(&options, "start", std::to_string(part->begin).c_str(), 0);
    ffmpeg().av_dict_set(&options, "end", std::to_string(part->end).c_str(), 0);
  }
  // A part may be too short for its format to be guessed.
  const AVInputFormat *input = part ? ffmpeg().av_find_input_format("mpegts") : nullptr;
  AVFormatContext *opened = nullptr;
  const int opening = ffmpeg().avformat_open_input(&opened, url.c_str(), input, &options);
  ffmpeg().av_dict_free(&options);
  if (opening == AVERROR(EACCES) || opening == AVERROR(EPERM))
    failVideo(ErrorCode::io, path, "a readable file", "permission denied");
  if (opening < 0) {
    std::string reason = log.reason(opening);
    // FFmpeg repeats the whole list; its name of the format is what matters: "[tty] Format not on whitelist
    // ...".
    if (const std::size_t at = reason.find("] Format not on whitelist"); at != std::string::npos)
      reason = fmt::format("format \"{}\"", reason.substr(1, at - 1));
    failVideo(ErrorCode::invalidArgument, path, wanted, fmt::format("none ({})", reason));
  }
  FfmpegHandle<AVFormatContext> format(opened);
  const int probing = ffmpeg().avformat_find_stream_info(opened, nullptr);
  if (probing < 0)
    failVideo(ErrorCode::corruptFile, path, fmt::format("readable streams in {}", opened->iformat->name),
              log.reason(probing));
  return format;
}

std::string describeStreams(const AVFormatContext &format) {
  std::string found;
  for (unsigned index = 0; index < format.nb_streams; ++index) {
    const AVStream &stream = *format.streams[index];
    const char *kind = stream.disposition & AV_DISPOSITION_ATTACHED_PIC
                           ? "cover picture"
                           : ffmpeg().av_get_media_type_string(stream.codecpar->codec_type);
    // A codec that FFmpeg has never heard of has no name, only the file's tag for it.
    const bool named = stream.codecpar->codec_id != AV_CODEC_ID_NONE || !stream.codecpar->codec_tag;
    char tag[AV_FOURCC_MAX_STRING_SIZE] = {};
    found += fmt::format("{}{} ({})", index ? ", " : "", kind ? kind : "unknown",
                         named ? ffmpeg().avcodec_get_name(stream.codecpar->codec_id)
                               : ffmpeg().av_fourcc_make_string(tag, stream.codecpar->codec_tag));
  }
  return found.empty() ? "no stream" : found;
}

} // namespace linmu::media
