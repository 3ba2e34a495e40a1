#include "models/media/frame_converter.h"
#include <algorithm>

namespace linmu::media {
namespace {

// Bit-exact: the same clip gives the same tokens on every machine.
constexpr int scaler_flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT;

int matrixOf(const AVFrame &frame) {
  switch (frame.colorspace) {
  case AVCOL_SPC_BT709:
    return SWS_CS_ITU709;
  case AVCOL_SPC_BT2020_NCL:
  case AVCOL_SPC_BT2020_CL:
    return SWS_CS_BT2020;
  case AVCOL_SPC_SMPTE240M:
    return SWS_CS_SMPTE240M;
  case AVCOL_SPC_FCC:
    return SWS_CS_FCC;
  case AVCOL_SPC_UNSPECIFIED:
    return frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  default:
    return SWS_CS_ITU601;
  }
}

/// Whether black is 0. Grey has no other range unless the stream says so, as for the scaler itself before it
/// is told of ranges.
bool isFullRange(const AVFrame &frame) {
  if (frame.color_range != AVCOL_RANGE_UNSPECIFIED)
    return frame.color_range == AVCOL_RANGE_JPEG;
  switch (frame.format) {
  case AV_PIX_FMT_GRAY8:
  case AV_PIX_FMT_GRAY9LE:
  case AV_PIX_FMT_GRAY10LE:
  case AV_PIX_FMT_GRAY12LE:
  case AV_PIX_FMT_GRAY14LE:
  case AV_PIX_FMT_GRAY16LE:
  case AV_PIX_FMT_GRAY9BE:
  case AV_PIX_FMT_GRAY10BE:
  case AV_PIX_FMT_GRAY12BE:
  case AV_PIX_FMT_GRAY14BE:
  case AV_PIX_FMT_GRAY16BE:
  case AV_PIX_FMT_YA8:
  case AV_PIX_FMT_YA16LE:
  case AV_PIX_FMT_YA16BE:
    return true;
  default:
    return false;
  }
}

/// `upright` has `size`; `decoded`, rows of `stride` bytes, has its sides swapped for odd `quarter_turns`.
void turnUpright(const std::vector<std::uint8_t> &decoded, std::size_t stride, FrameSize size,
                 int quarter_turns, std::vector<std::uint8_t> &upright) {
  const int width = size.width, height = size.height;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      int from_x = x, from_y = y;
      if (quarter_turns == 1)
        from_x = y, from_y = width - 1 - x;
      else if (quarter_turns == 2)
        from_x = width - 1 - x, from_y = height - 1 - y;
      else if (quarter_turns == 3)
        from_x = height - 1 - y, from_y = x;
      const std::uint8_t *from = &decoded[from_y * stride + from_x * 3];
      std::copy_n(from, 3, &upright[(std::size_t(y) * width + x) * 3]);
    }
}

/// Its lines belong to two fields, every other one to each, and so do those of its chroma.
bool isInterlaced(const AVFrame &frame) {
#ifdef AV_FRAME_FLAG_INTERLACED
  return frame.flags & AV_FRAME_FLAG_INTERLACED;
#else
  return frame.interlaced_frame;
#endif
}

} // namespace

int FrameConverter::convert(const AVFrame &frame, int quarter_turns, std::vector<std::uint8_t> &rgb) {
  const FrameSize decoded_size =
      quarter_turns % 2 ? FrameSize{.width = size_.height, .height = size_.width} : size_;
  // The scaler may write up to a vector past a row's end.
  const int stride = (decoded_size.width * 3 + 63) / 64 * 64;
  decoded_.resize(std::size_t(stride) * decoded_size.height + 64);
  // Lines of another number are made of both fields.
  const int fields = isInterlaced(frame) && decoded_size.height == frame.height && frame.height > 1 ? 2 : 1;
  for (int field = 0; field < fields; ++field)
    if (const int status = scale(frame, field, fields, decoded_size, stride); status < 0)
      return status;
  rgb.resize(std::size_t(size_.width) * size_.height * 3);
  turnUpright(decoded_, stride, size_, quarter_turns, rgb);
  return 0;
}

/// A scaler of lines of the `field`th of `fields`, to `size`; null if there is none for such frames.
SwsContext *FrameConverter::scalerOf(const AVFrame &frame, int field, int fields, FrameSize size) {
  const int lines = (frame.height + fields - 1 - field) / fields;
  const Form form{frame.width, lines, frame.format, fields, size};
  Scaler &scaler = scalers_[field];
  if (scaler.context && scaler.form == form)
    return scaler.context.get();
  scaler = {form, FfmpegHandle<SwsContext>(ffmpeg().sws_alloc_context())};
  const auto set = [&](const char *option, std::int64_t value) {
    ffmpeg().av_opt_set_int(scaler.context.get(), option, value, 0);
  };
  set("srcw", frame.width);
  set("srch", lines);
  set("src_format", frame.format);
  set("dstw", size.width);
  set("dsth", (size.height + fields - 1 - field) / fields);
  set("dst_format", AV_PIX_FMT_RGB24);
  set("sws_flags", scaler_flags);
  // Where chroma lies between a field's lines, in 256ths of them (ISO/IEC 13818-2, 6.1.1.8).
  if (fields == 2)
    set("src_v_chr_pos", field == 0 ? 64 : 192);
  if (ffmpeg().sws_init_context(scaler.context.get(), nullptr, nullptr) < 0)
    scaler.context.reset();
  return scaler.context.get();
}

/// Lines `field`, `field` + `fields`, ... of the frame into those of `decoded_`.
int FrameConverter::scale(const AVFrame &frame, int field, int fields, FrameSize size, int stride) {
  SwsContext *scaler = scalerOf(frame, field, fields, size);
  if (!scaler)
    return AVERROR(EINVAL);
  const int *matrix = ffmpeg().sws_getCoefficients(matrixOf(frame));
  // No effect, and an error code to ignore, for frames that are RGB already.
  ffmpeg().sws_setColorspaceDetails(scaler, matrix, isFullRange(frame), matrix, 1, 0, 1 << 16, 1 << 16);
  const std::uint8_t *from[4];
  int from_strides[4];
  for (int plane = 0; plane < 4; ++plane) {
    from[plane] =
        frame.data[plane] ? frame.data[plane] + std::ptrdiff_t(field) * frame.linesize[plane] : nullptr;
    from_strides[plane] = fields * frame.linesize[plane];
  }
  if (frame.format == AV_PIX_FMT_PAL8)
    from[1] = frame.data[1]; // the palette
  std::uint8_t *planes[4] = {decoded_.data() + field * stride, nullptr, nullptr, nullptr};
  const int strides[4] = {fields * stride, 0, 0, 0};
  return ffmpeg().sws_scale(scaler, from, from_strides, 0, (frame.height + fields - 1 - field) / fields,
                            planes, strides);
}

} // namespace linmu::media
