#include "models/media/video_reader.h"
#include "models/media/ffmpeg_handles.h"
#include "models/media/ffmpeg_log.h"
#include "models/media/frame_converter.h"
#include "runtime/core/error.h"
#include <cmath>
#include <fmt/format.h>

namespace linmu::media {
namespace {

constexpr int longest_side = 8192;

// Probing is limited to these: FFmpeg would otherwise render a text file as video, or follow a playlist.
constexpr const char *containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,"
                                   "ogg,gif,nut,ivf,mxf,rm,swf,wtv,dv,"
                                   "h264,hevc,av1,obu,m4v,vc1,yuv4mpegpipe,wav,mp3,flac,aac";
constexpr const char *picture_formats = "png_pipe,jpeg_pipe,bmp_pipe,webp_pipe,gif";

/// For messages: "a video file" or "a picture file".
const char *fileOf(MediaKind kind) { return kind == MediaKind::video ? "a video file" : "a picture file"; }

[[noreturn]] void fail(ErrorCode code, const std::filesystem::path &path, const std::string &expected,
                       const std::string &found) {
  throw Error(code, fmt::format("{}: expected {}, found {}", path.string(), expected, found));
}

FfmpegHandle<AVFormatContext> openContainer(const std::filesystem::path &path, MediaKind media,
                                            const FfmpegLog &log) {
  std::error_code status;
  const std::string wanted = fileOf(media);
  const auto kind = std::filesystem::status(path, status).type();
  if (kind == std::filesystem::file_type::not_found)
    fail(ErrorCode::io, path, wanted, "no such file");
  if (kind == std::filesystem::file_type::directory)
    fail(ErrorCode::io, path, wanted, "a directory");
  if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::none)
    fail(ErrorCode::io, path, wanted + ", which is read more than once and at any place",
         kind == std::filesystem::file_type::fifo ? "a FIFO" : "a device or socket");
  if (kind == std::filesystem::file_type::regular && std::filesystem::file_size(path, status) == 0 && !status)
    fail(ErrorCode::invalidArgument, path, wanted, "an empty file");

  AVDictionary *options = nullptr;
  ffmpeg().av_dict_set(&options, "format_whitelist", media == MediaKind::video ? containers : picture_formats,
                       0);
  ffmpeg().av_dict_set(&options, "protocol_whitelist", "file", 0);
  AVFormatContext *opened = nullptr;
  const int opening =
      ffmpeg().avformat_open_input(&opened, ("file:" + path.string()).c_str(), nullptr, &options);
  ffmpeg().av_dict_free(&options);
  if (opening == AVERROR(EACCES) || opening == AVERROR(EPERM))
    fail(ErrorCode::io, path, "a readable file", "permission denied");
  if (opening < 0) {
    std::string reason = log.reason(opening);
    // FFmpeg repeats the whole list; its name of the format is what matters: "[tty] Format not on whitelist
    // ...".
    if (const std::size_t at = reason.find("] Format not on whitelist"); at != std::string::npos)
      reason = fmt::format("format \"{}\"", reason.substr(1, at - 1));
    fail(ErrorCode::invalidArgument, path, wanted, fmt::format("none ({})", reason));
  }
  FfmpegHandle<AVFormatContext> format(opened);
  const int probing = ffmpeg().avformat_find_stream_info(opened, nullptr);
  if (probing < 0)
    fail(ErrorCode::corruptFile, path, fmt::format("readable streams in {}", opened->iformat->name),
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

/// Clockwise quarter turns that bring decoded frames upright.
int quarterTurns(const std::filesystem::path &path, const AVStream &stream) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
  const AVPacketSideData *data = ffmpeg().av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  const auto *matrix = reinterpret_cast<const std::int32_t *>(data ? data->data : nullptr);
#else
  const auto *matrix = reinterpret_cast<const std::int32_t *>(
      ffmpeg().av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
#endif
  if (!matrix)
    return 0;
  const double turns = -ffmpeg().av_display_rotation_get(matrix) / 90.0;
  const bool mirrored = double(matrix[0]) * matrix[4] < double(matrix[1]) * matrix[3];
  if (mirrored || !(std::abs(turns - std::round(turns)) < 0.01))
    fail(ErrorCode::unsupported, path, "a display rotation by a multiple of 90 degrees",
         mirrored ? "a mirrored picture" : fmt::format("{:.1f} degrees", turns * 90.0));
  return (int(std::round(turns)) % 4 + 4) % 4;
}

void checkSize(const std::filesystem::path &path, const char *what, FrameSize size) {
  if (size.width < 1 || size.height < 1 || size.width > longest_side || size.height > longest_side)
    fail(ErrorCode::unsupported, path,
         fmt::format("{} of 1 x 1 to {} x {}", what, longest_side, longest_side),
         fmt::format("{} x {}", size.width, size.height));
}

} // namespace

struct VideoReader::Stream {
  std::filesystem::path path;
  DamagedVideo damaged;
  MediaKind kind;
  FfmpegSilence
      silence; ///< decoder threads work on between calls; above what they belong to, so that it goes last
  FfmpegHandle<AVFormatContext> format;
  FfmpegHandle<AVCodecContext> codec;
  FfmpegHandle<AVFrame> frame{ffmpeg().av_frame_alloc()};
  FfmpegHandle<AVPacket> packet{ffmpeg().av_packet_alloc()};
  std::optional<FrameConverter> converter;
  VideoInfo info;
  FrameSize size;
  int index = -1;
  std::int64_t frames = 0;
  bool drained = false;
  double seconds = 0;

  void open(const FfmpegLog &log);
  void describe(const AVStream &stream, int quarter_turns);
  bool decode(const FfmpegLog &log);
  void send(const FfmpegLog &log);
  void damage(const std::string &found) const;
};

void VideoReader::Stream::open(const FfmpegLog &log) {
  format = openContainer(path, kind, log);
  const AVCodec *decoder = nullptr;
  index = ffmpeg().av_find_best_stream(format.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (index == AVERROR_DECODER_NOT_FOUND)
    fail(ErrorCode::unsupported, path, "a codec that this FFmpeg decodes", describeStreams(*format));
  if (index < 0 || format->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC)
    fail(ErrorCode::invalidArgument, path, "a video stream", describeStreams(*format));
  // Packets of other streams are not even read.
  for (unsigned other = 0; other < format->nb_streams; ++other)
    if (int(other) != index)
      format->streams[other]->discard = AVDISCARD_ALL;

  const AVStream &stream = *format->streams[index];
  codec.reset(ffmpeg().avcodec_alloc_context3(decoder));
  int status = ffmpeg().avcodec_parameters_to_context(codec.get(), stream.codecpar);
  codec->pkt_timebase = stream.time_base;
  codec->thread_count = kind == MediaKind::video ? 0 : 1; // 0: as many as there are processors
  codec->max_pixels = std::int64_t(longest_side) * longest_side;
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
  if (status >= 0)
    status = ffmpeg().avcodec_open2(codec.get(), decoder, nullptr);
  if (status < 0)
    fail(ErrorCode::corruptFile, path, fmt::format("a {} stream that can be decoded", decoder->name),
         log.reason(status));
  const int quarter_turns = quarterTurns(path, stream);
  describe(stream, quarter_turns);
  if (size == FrameSize{})
    size = info.size;
  checkSize(path, "frames resized to sides", size);
  converter.emplace(size, quarter_turns);
}

void VideoReader::Stream::describe(const AVStream &stream, int quarter_turns) {
  info.size = {.width = codec->width, .height = codec->height};
  checkSize(path, "frames", info.size);
  const AVRational pixel =
      ffmpeg().av_guess_sample_aspect_ratio(format.get(), const_cast<AVStream *>(&stream), nullptr);
  info.aspect = double(info.size.width) / info.size.height * (pixel.num > 0 ? av_q2d(pixel) : 1.0);
  if (quarter_turns % 2) {
    std::swap(info.size.width, info.size.height);
    info.aspect = 1.0 / info.aspect;
  }
  if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0)
    info.frames_per_second = av_q2d(stream.avg_frame_rate);
  if (stream.duration > 0)
    info.seconds = stream.duration * av_q2d(stream.time_base);
  else if (format->duration > 0)
    info.seconds = double(format->duration) / AV_TIME_BASE;
  info.codec = ffmpeg().avcodec_get_name(codec->codec_id);
  info.container = format->iformat->name;
}

void VideoReader::Stream::damage(const std::string &found) const {
  if (damaged == DamagedVideo::reject)
    fail(ErrorCode::corruptFile, path, fmt::format("an intact {} stream", info.codec),
         fmt::format("damage after {} frames ({})", frames, found));
}

/// Hands the decoder its next packet, or the end of the stream.
void VideoReader::Stream::send(const FfmpegLog &log) {
  for (;;) {
    ffmpeg().av_packet_unref(packet.get());
    const std::size_t logged = log.text().size();
    const int reading = ffmpeg().av_read_frame(format.get(), packet.get());
    if (reading < 0) {
      // Some demuxers report a file that breaks off as an ordinary end, with a message.
      if (reading != AVERROR_EOF || log.text().size() > logged)
        damage(log.reason(reading));
      ffmpeg().avcodec_send_packet(codec.get(), nullptr);
      drained = true;
      return;
    }
    if (packet->stream_index != index)
      continue;
    if (packet->flags & AV_PKT_FLAG_CORRUPT)
      damage("a packet that is incomplete");
    const int sending = ffmpeg().avcodec_send_packet(codec.get(), packet.get());
    if (sending >= 0)
      return;
    damage(log.reason(sending));
  }
}

bool VideoReader::Stream::decode(const FfmpegLog &log) {
  for (;;) {
    const int receiving = ffmpeg().avcodec_receive_frame(codec.get(), frame.get());
    if (receiving == AVERROR_EOF || (receiving < 0 && receiving != AVERROR(EAGAIN) && drained)) {
      if (receiving != AVERROR_EOF)
        damage(log.reason(receiving));
      if (frames == 0)
        fail(ErrorCode::corruptFile, path, "at least one frame",
             fmt::format("none that decodes{}", log.text().empty() ? "" : " (" + log.text() + ")"));
      return false;
    }
    if (receiving == AVERROR(EAGAIN)) {
      send(log);
      continue;
    }
    if (receiving < 0) {
      damage(log.reason(receiving));
      continue;
    }
    if (frame->decode_error_flags || frame->flags & AV_FRAME_FLAG_CORRUPT)
      damage(log.text().empty() ? "a frame with errors" : log.text());
    ++frames;
    if (frame->best_effort_timestamp != AV_NOPTS_VALUE) {
      const AVStream &stream = *format->streams[index];
      const std::int64_t start = stream.start_time == AV_NOPTS_VALUE ? 0 : stream.start_time;
      seconds = (frame->best_effort_timestamp - start) * av_q2d(stream.time_base);
    }
    return true;
  }
}

VideoReader::VideoReader(const std::filesystem::path &path, std::optional<FrameSize> size,
                         DamagedVideo damaged, MediaKind kind)
    : stream_(std::make_unique<Stream>()) {
  FfmpegLog log;
  if (size)
    checkSize(path, "frames resized to sides", *size);
  stream_->path = path;
  stream_->damaged = damaged;
  stream_->kind = kind;
  stream_->size = size.value_or(FrameSize{});
  stream_->open(log);
}

VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader &&) noexcept = default;
VideoReader &VideoReader::operator=(VideoReader &&) noexcept = default;

const VideoInfo &VideoReader::info() const { return stream_->info; }
FrameSize VideoReader::frameSize() const { return stream_->size; }
double VideoReader::seconds() const { return stream_->seconds; }

bool VideoReader::next(std::vector<std::uint8_t> &rgb) {
  FfmpegLog log;
  if (!stream_->decode(log))
    return false;
  const int status = stream_->converter->convert(*stream_->frame, rgb);
  if (status < 0)
    fail(ErrorCode::unsupported, stream_->path, "a pixel format that converts to RGB", log.reason(status));
  return true;
}

bool VideoReader::skip() {
  FfmpegLog log;
  return stream_->decode(log);
}

} // namespace linmu::media
