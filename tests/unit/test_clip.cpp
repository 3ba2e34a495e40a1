#include "tests/unit/test_clip.h"
#include "models/media/ffmpeg_handles.h"
#include "models/media/ffmpeg_log.h"
#include "tests/unit/temporary_folder.h"
#include <cstdint>
#include <cstring>
#include <stdexcept>

extern "C" {
#include <libavutil/display.h>
}

namespace linmu::test {
namespace {

using media::FfmpegHandle;

void require(bool held, const char *what) {
  if (!held)
    throw std::runtime_error(std::string("writing a test clip: ") + what);
}

void setDisplay(AVStream &stream, const TestClip &clip) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
  AVPacketSideData *data =
      av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(std::int32_t), 0);
  require(data, "a display matrix");
  auto *matrix = reinterpret_cast<std::int32_t *>(data->data);
#else
  auto *matrix = reinterpret_cast<std::int32_t *>(
      av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(std::int32_t)));
  require(matrix, "a display matrix");
#endif
  av_display_rotation_set(matrix, clip.clockwise_degrees);
  av_display_matrix_flip(matrix, clip.mirrored, 0);
}

void paint(AVFrame &frame, int index) {
  for (int y = 0; y < frame.height; ++y)
    for (int x = 0; x < frame.width; ++x)
      frame.data[0][y * frame.linesize[0] + x] = 16 + 5 * (index + (x >= frame.width / 2));
  for (int plane : {1, 2})
    for (int y = 0; y < frame.height / 2; ++y)
      std::memset(frame.data[plane] + y * frame.linesize[plane], 128, frame.width / 2);
}

} // namespace

void writeClip(const std::filesystem::path &path, const TestClip &clip) {
  media::FfmpegLog log;
  AVFormatContext *format = nullptr;
  require(avformat_alloc_output_context2(&format, nullptr, nullptr, path.c_str()) >= 0, "the container");
  const AVCodec *encoder = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
  require(encoder, "the encoder");
  FfmpegHandle<AVCodecContext> codec(avcodec_alloc_context3(encoder));
  codec->width = clip.width;
  codec->height = clip.height;
  codec->pix_fmt = AV_PIX_FMT_YUV420P;
  codec->time_base = {1, 25};
  codec->gop_size = 12;
  codec->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
  codec->global_quality = 2 * FF_QP2LAMBDA;
  if (format->oformat->flags & AVFMT_GLOBALHEADER)
    codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  require(avcodec_open2(codec.get(), encoder, nullptr) >= 0, "opening the encoder");
  AVStream *stream = avformat_new_stream(format, nullptr);
  stream->time_base = codec->time_base;
  stream->avg_frame_rate = {25, 1};
  require(avcodec_parameters_from_context(stream->codecpar, codec.get()) >= 0, "the stream");
  if (clip.clockwise_degrees || clip.mirrored)
    setDisplay(*stream, clip);
  require(avio_open(&format->pb, path.c_str(), AVIO_FLAG_WRITE) >= 0, "opening the file");
  AVDictionary *options = nullptr;
  if (clip.index_first)
    av_dict_set(&options, "movflags", "faststart", 0);
  require(avformat_write_header(format, &options) >= 0, "the header");
  av_dict_free(&options);

  FfmpegHandle<AVFrame> frame(av_frame_alloc());
  frame->format = codec->pix_fmt;
  frame->width = clip.width;
  frame->height = clip.height;
  frame->quality = codec->global_quality;
  require(av_frame_get_buffer(frame.get(), 0) >= 0, "a frame");
  FfmpegHandle<AVPacket> packet(av_packet_alloc());
  for (int index = 0; index <= clip.frames; ++index) {
    if (index < clip.frames) {
      require(av_frame_make_writable(frame.get()) >= 0, "a frame");
      paint(*frame, clip.first_frame + index);
      frame->pts = clip.first_frame + index;
    }
    require(avcodec_send_frame(codec.get(), index < clip.frames ? frame.get() : nullptr) >= 0, "encoding");
    while (avcodec_receive_packet(codec.get(), packet.get()) >= 0) {
      packet->duration = 1;
      av_packet_rescale_ts(packet.get(), codec->time_base, stream->time_base);
      packet->stream_index = 0;
      require(av_interleaved_write_frame(format, packet.get()) >= 0, "a packet");
    }
  }
  require(av_write_trailer(format) >= 0, "the trailer");
  avio_closep(&format->pb);
  avformat_free_context(format);
}

void writeUnconvertible(const std::filesystem::path &path) {
  media::FfmpegLog log;
  AVFormatContext *format = nullptr;
  require(avformat_alloc_output_context2(&format, nullptr, nullptr, path.c_str()) >= 0, "the container");
  AVStream *stream = avformat_new_stream(format, nullptr);
  stream->time_base = {1, 25};
  AVCodecParameters &parameters = *stream->codecpar;
  parameters.codec_type = AVMEDIA_TYPE_VIDEO;
  parameters.codec_id = AV_CODEC_ID_RAWVIDEO;
  parameters.codec_tag = MKTAG('Y', '4', '1', '1');
  parameters.format = AV_PIX_FMT_UYYVYY411;
  parameters.width = parameters.height = 16;
  require(avio_open(&format->pb, path.c_str(), AVIO_FLAG_WRITE) >= 0, "opening the file");
  require(avformat_write_header(format, nullptr) >= 0, "the header");
  FfmpegHandle<AVPacket> packet(av_packet_alloc());
  require(av_new_packet(packet.get(), 16 * 16 * 3 / 2) >= 0, "a packet");
  std::memset(packet->data, 0, packet->size);
  packet->pts = packet->dts = 0;
  packet->flags |= AV_PKT_FLAG_KEY;
  require(av_write_frame(format, packet.get()) >= 0, "a packet");
  require(av_write_trailer(format) >= 0, "the trailer");
  avio_closep(&format->pb);
  avformat_free_context(format);
}

void writeSilence(const std::filesystem::path &path) {
  const auto number = [](std::uint32_t value, int bytes) {
    std::string text;
    for (; bytes > 0; --bytes, value >>= 8)
      text += char(value & 0xFF);
    return text;
  };
  const std::uint32_t rate = 8000, size = 2 * rate;
  writeBytes(path, "RIFF" + number(36 + size, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) +
                       number(rate, 4) + number(2 * rate, 4) + number(2, 2) + number(16, 2) + "data" +
                       number(size, 4) + std::string(size, '\0'));
}

void writeCover(const std::filesystem::path &path) {
  using namespace std::string_literals;
  const std::string png = "\x89PNG\r\n\x1a\n"s;
  // Blocks of 4096 samples, 8 kHz, mono, 16 bits.
  const std::string stream = "\x10\0\x10\0\0\0\0\0\0\0\x01\xf4\0\xf0"s + std::string(20, '\0');
  const std::string picture = "\0\0\0\x03\0\0\0\x09image/png"s + std::string(20, '\0') + "\0\0\0\x08"s + png;
  writeBytes(path, "fLaC\0\0\0\x22"s + stream + "\x86\0\0"s + char(picture.size()) + picture);
}

} // namespace linmu::test
