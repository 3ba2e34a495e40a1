#include "models/media/video_reader.h"
#include "models/media/frame_converter.h"
#include "models/media/video_container.h"
#include "runtime/io/mapped_file.h"
#include <cmath>
#include <exception>
#include <fmt/format.h>
#include <utility>

namespace linmu::media {
namespace {

constexpr int longest_side = 8192;

/// The matrix by which a player turns the pictures of a stream, or null.
const std::int32_t *matrixOf(const AVStream &stream) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
  const AVPacketSideData *data = ffmpeg().av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return reinterpret_cast<const std::int32_t *>(data ? data->data : nullptr);
#else
  return reinterpret_cast<const std::int32_t *>(
      ffmpeg().av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
#endif
}

/// Clockwise quarter turns by `matrix`; 0 without one.
int quarterTurns(const std::filesystem::path &path, const std::int32_t *matrix) {
  if (!matrix)
    return 0;
  const double turns = -ffmpeg().av_display_rotation_get(matrix) / 90.0;
  const bool mirrored = double(matrix[0]) * matrix[4] < double(matrix[1]) * matrix[3];
  if (mirrored || !(std::abs(turns - std::round(turns)) < 0.01))
    failVideo(ErrorCode::unsupported, path, "a display rotation by a multiple of 90 degrees",
              mirrored ? "a mirrored picture" : fmt::format("{:.1f} degrees", turns * 90.0));
  return (int(std::round(turns)) % 4 + 4) % 4;
}

void checkSize(const std::filesystem::path &path, const char *what, FrameSize size) {
  if (size.width < 1 || size.height < 1 || size.width > longest_side || size.height > longest_side)
    failVideo(ErrorCode::unsupported, path,
              fmt::format("{} of 1 x 1 to {} x {}", what, longest_side, longest_side),
              fmt::format("{} x {}", size.width, size.height));
}

/// Transport streams of a file; none of what cannot be read, which opening it says.
std::vector<FilePart> partsOf(const std::filesystem::path &path) {
  try {
    return transportParts(MappedFile(path).bytes());
  } catch (const Error &) {
    return {};
  }
}

/// How long a frame is shown, in units of its stream's time base; 0 where nothing says it.
std::int64_t durationOf(const AVFrame &frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
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
  std::vector<FilePart> parts; ///< transport streams of the file, if it holds several
  std::size_t part = 0;        ///< that is read
  int index = -1;
  int turns = 0; ///< quarter turns that set the frame upright
  std::int64_t frames = 0;
  bool drained = false;
  double seconds = 0;  ///< of the last frame
  double begin = 0;    ///< of the part's first frame
  double duration = 0; ///< of the last frame

  // Which way up pictures are shown the first of them says; it waits here, or what became of it.
  bool waits = false, exists = false;
  std::exception_ptr failure;

  void open(const FfmpegLog &log);
  void openPart(const FfmpegLog &log);
  void describe(const AVStream &stream);
  int quarterTurnsOfFrame();
  bool next(const FfmpegLog &log);
  bool decode(const FfmpegLog &log);
  void send(const FfmpegLog &log);
  void damage(const std::string &found) const;
};

void VideoReader::Stream::openPart(const FfmpegLog &log) {
  format = openContainer(path, kind, parts.size() > 1 ? std::optional(parts[part]) : std::nullopt, log);
  const AVCodec *decoder = nullptr;
  index = ffmpeg().av_find_best_stream(format.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (index == AVERROR_DECODER_NOT_FOUND)
    failVideo(ErrorCode::unsupported, path, "a codec that this FFmpeg decodes", describeStreams(*format));
  if (index < 0 || format->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC)
    failVideo(ErrorCode::invalidArgument, path, "a video stream", describeStreams(*format));
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
    failVideo(ErrorCode::corruptFile, path, fmt::format("a {} stream that can be decoded", decoder->name),
              log.reason(status));
  turns = quarterTurns(path, matrixOf(stream));
  drained = false;
}

void VideoReader::Stream::open(const FfmpegLog &log) {
  if (kind == MediaKind::video)
    parts = partsOf(path);
  openPart(log);
  describe(*format->streams[index]);
  try {
    exists = decode(log);
  } catch (const Error &) {
    failure = std::current_exception();
  }
  waits = true;
  if (exists && quarterTurnsOfFrame() % 2) {
    std::swap(info.size.width, info.size.height);
    info.aspect = 1.0 / info.aspect;
  }
  if (size == FrameSize{})
    size = info.size;
  checkSize(path, "frames resized to sides", size);
  converter.emplace(size);
}

/// A frame's own matrix holds from there on, and goes before that of the stream.
int VideoReader::Stream::quarterTurnsOfFrame() {
  if (const AVFrameSideData *data = ffmpeg().av_frame_get_side_data(frame.get(), AV_FRAME_DATA_DISPLAYMATRIX))
    turns = quarterTurns(path, reinterpret_cast<const std::int32_t *>(data->data));
  return turns;
}

/// The next frame, that which waits before others; false behind the last one.
bool VideoReader::Stream::next(const FfmpegLog &log) {
  if (!std::exchange(waits, false))
    return decode(log);
  if (failure)
    std::rethrow_exception(std::exchange(failure, nullptr));
  return exists;
}

void VideoReader::Stream::describe(const AVStream &stream) {
  info.size = {.width = codec->width, .height = codec->height};
  checkSize(path, "frames", info.size);
  const AVRational pixel =
      ffmpeg().av_guess_sample_aspect_ratio(format.get(), const_cast<AVStream *>(&stream), nullptr);
  info.aspect = double(info.size.width) / info.size.height * (pixel.num > 0 ? av_q2d(pixel) : 1.0);
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
    failVideo(ErrorCode::corruptFile, path, fmt::format("an intact {} stream", info.codec),
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
      if (part + 1 < parts.size()) {
        ++part;
        begin = seconds + duration;
        openPart(log);
        continue;
      }
      if (frames == 0)
        failVideo(ErrorCode::corruptFile, path, "at least one frame",
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
    const AVStream &stream = *format->streams[index];
    if (frame->best_effort_timestamp != AV_NOPTS_VALUE) {
      const std::int64_t start = stream.start_time == AV_NOPTS_VALUE ? 0 : stream.start_time;
      seconds = begin + (frame->best_effort_timestamp - start) * av_q2d(stream.time_base);
    } else if (frames > 1) { // the last of a stream may come without its time
      seconds += duration;
    }
    duration = durationOf(*frame) * av_q2d(stream.time_base);
    if (duration <= 0 && info.frames_per_second > 0)
      duration = 1 / info.frames_per_second;
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
  if (!stream_->next(log))
    return false;
  const int status = stream_->converter->convert(*stream_->frame, stream_->quarterTurnsOfFrame(), rgb);
  if (status < 0)
    failVideo(ErrorCode::unsupported, stream_->path, "a pixel format that converts to RGB",
              log.reason(status));
  return true;
}

bool VideoReader::skip() {
  FfmpegLog log;
  return stream_->next(log);
}

} // namespace linmu::media
