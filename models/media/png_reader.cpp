#include "models/media/png_reader.h"
#include "runtime/core/error.h"
#include "runtime/io/mapped_file.h"
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <zlib.h>

namespace linmu::media {
namespace {

/// PNG of 8 bits RGB, not interlaced (https://www.w3.org/TR/png-3/).
class PngReader {
public:
  PngReader(const std::filesystem::path &path, std::span<const std::byte> bytes)
      : path_(path), bytes_(reinterpret_cast<const char *>(bytes.data()), bytes.size()) {}

  /// Whether the file is of this kind, from its header.
  bool fits() const {
    constexpr std::string_view kind("\x08\x02\x00\x00\x00", 5); // depth, RGB, and the only methods
    return bytes_.size() >= 33 &&
           bytes_.starts_with(std::string_view("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16)) &&
           bytes_.substr(24, 5) == kind && number(16) >= 1 && number(16) <= 8192 && number(20) >= 1 &&
           number(20) <= 8192;
  }
  FrameSize size() const { return {.width = int(number(16)), .height = int(number(20))}; }

  Frames read() const {
    std::string packed;
    for (std::size_t at = 8;;) {
      if (bytes_.size() - at < 12 || bytes_.size() - at - 12 < number(at))
        damaged("a chunk that the file ends in");
      const std::string_view body = bytes_.substr(at + 4, 4 + number(at));
      const auto sum = ::crc32(0, reinterpret_cast<const Bytef *>(body.data()), uInt(body.size()));
      if (sum != number(at + 8 + number(at)))
        damaged("a chunk whose checksum is wrong");
      if (body.starts_with("IEND"))
        break;
      if (body.starts_with("IDAT"))
        packed += body.substr(4);
      at += 12 + number(at);
    }
    Frames frames{.count = 1, .size = size(), .rgb = {}};
    const std::size_t row = std::size_t(frames.size.width) * 3;
    std::vector<std::uint8_t> rows((row + 1) * frames.size.height);
    uLongf length = rows.size();
    if (::uncompress(rows.data(), &length, reinterpret_cast<const Bytef *>(packed.data()), packed.size()) !=
            Z_OK ||
        length != rows.size())
      damaged("data that do not unpack to its size");
    frames.rgb.resize(row * frames.size.height);
    for (int y = 0; y < frames.size.height; ++y)
      unfilter(&rows[y * (row + 1)], row, y ? &frames.rgb[(y - 1) * row] : nullptr, &frames.rgb[y * row]);
    return frames;
  }

private:
  [[noreturn]] void damaged(const char *found) const {
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: expected an intact png picture, found {}", path_.string(), found));
  }
  std::uint32_t number(std::size_t at) const {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
      value = value << 8 | std::uint8_t(bytes_[at + i]);
    return value;
  }
  /// One row; its first byte says what was subtracted: nothing, left, above, their mean, or Paeth's choice.
  void unfilter(const std::uint8_t *packed, std::size_t length, const std::uint8_t *above,
                std::uint8_t *row) const {
    if (packed[0] > 4)
      damaged("a filter that there is none of");
    for (std::size_t i = 0; i < length; ++i) {
      const int a = i >= 3 ? row[i - 3] : 0, b = above ? above[i] : 0, c = above && i >= 3 ? above[i - 3] : 0;
      const int pa = std::abs(b - c), pb = std::abs(a - c), pc = std::abs(a + b - 2 * c);
      const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const int guesses[] = {0, a, b, (a + b) / 2, paeth};
      row[i] = std::uint8_t(packed[i + 1] + guesses[packed[0]]);
    }
  }

  std::filesystem::path path_;
  std::string_view bytes_;
};

} // namespace

std::optional<Frames> readPng(const std::filesystem::path &path) {
  MappedFile file(path);
  PngReader png(path, file.bytes());
  return png.fits() ? std::optional(png.read()) : std::nullopt;
}

} // namespace linmu::media
