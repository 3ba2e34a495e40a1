#include "models/media/picture_writer.h"
#include "runtime/core/error.h"
#include <cerrno>
#include <cstdint>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <unordered_map>
#include <zlib.h>

namespace linmu::media {
namespace {

void requireFrames(const std::filesystem::path &path, const Frames &frames) {
  if (frames.count < 1 || frames.size.width < 1 || frames.size.height < 1 ||
      frames.rgb.size() != frames.bytesPerFrame() * frames.count)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("{}: expected at least one frame with a byte for each channel, found {} of {} x {} in {} "
                    "bytes",
                    path.string(), frames.count, frames.size.width, frames.size.height, frames.rgb.size()));
}

/// Not through AtomicFile, which waits for the disk with each of what are often thousands of files.
void writeFile(const std::filesystem::path &path, const std::string &bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), std::streamsize(bytes.size())).flush();
  if (!file)
    throw Error(ErrorCode::io,
                fmt::format("cannot write {}: {}", path.string(), std::generic_category().message(errno)));
}

// ---- PNG ----

std::string bigEndian(std::uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

void appendChunk(std::string &file, const std::string &type, const std::string &data) {
  const std::string body = type + data;
  file += bigEndian(std::uint32_t(data.size())) + body;
  file +=
      bigEndian(std::uint32_t(::crc32(0, reinterpret_cast<const Bytef *>(body.data()), uInt(body.size()))));
}

// ---- GIF ----

/// Codes of 3 to 12 bits, the lowest bit first, in blocks of at most 255 bytes.
class CodeWriter {
public:
  void write(unsigned code, int bits) {
    pending_ |= std::uint32_t(code) << held_;
    for (held_ += bits; held_ >= 8; held_ -= 8, pending_ >>= 8)
      bytes_.push_back(char(pending_));
  }
  std::string blocks() {
    if (held_ > 0)
      bytes_.push_back(char(pending_));
    std::string result;
    for (std::size_t at = 0; at < bytes_.size(); at += 255) {
      const std::string block = bytes_.substr(at, 255);
      result += char(block.size()) + block;
    }
    return result + '\0';
  }

private:
  std::string bytes_;
  std::uint32_t pending_ = 0;
  int held_ = 0;
};

/// GIF's variant of Lempel-Ziv-Welch, for indices of 8 bits: code 256 clears the table, 257 ends.
std::string compressed(const std::vector<std::uint8_t> &indices) {
  constexpr unsigned clear = 256, end = 257, limit = 4096;
  CodeWriter codes;
  std::unordered_map<std::uint32_t, unsigned> table; // (code of a prefix, next index) to the code of both
  unsigned next = end + 1;
  int bits = 9;
  codes.write(clear, bits);
  unsigned prefix = indices.front();
  for (std::size_t at = 1; at < indices.size(); ++at) {
    const std::uint32_t key = prefix << 8 | indices[at];
    if (auto found = table.find(key); found != table.end()) {
      prefix = found->second;
      continue;
    }
    codes.write(prefix, bits);
    if (next < limit) {
      // A reader is one entry behind, and widens its codes when it has this one.
      if (next == 1u << bits)
        ++bits;
      table.emplace(key, next++);
    } else {
      codes.write(clear, bits);
      table.clear();
      next = end + 1;
      bits = 9;
    }
    prefix = indices[at];
  }
  codes.write(prefix, bits);
  if (next == 1u << bits && bits < 12)
    ++bits;
  codes.write(end, bits);
  return codes.blocks();
}

std::string littleEndian(int value) { return {char(value), char(value >> 8)}; }

} // namespace

void writePng(const std::filesystem::path &path, const Frames &frames) {
  requireFrames(path, frames);
  const std::size_t row = std::size_t(frames.size.width) * 3;
  std::string rows;
  for (int y = 0; y < frames.size.height; ++y) {
    rows.push_back(0); // no filter
    rows.append(reinterpret_cast<const char *>(frames.rgb.data()) + y * row, row);
  }
  uLongf length = ::compressBound(rows.size());
  std::string packed(length, '\0');
  if (::compress2(reinterpret_cast<Bytef *>(packed.data()), &length,
                  reinterpret_cast<const Bytef *>(rows.data()), rows.size(), Z_BEST_COMPRESSION) != Z_OK)
    throw Error(ErrorCode::internal,
                fmt::format("{}: zlib cannot compress {} bytes", path.string(), rows.size()));
  packed.resize(length);

  std::string file = "\x89PNG\r\n\x1a\n";
  // Depth 8, colour type RGB, then the only methods of compression, filter and no interlacing.
  appendChunk(file, "IHDR",
              bigEndian(frames.size.width) + bigEndian(frames.size.height) +
                  std::string("\x08\x02\x00\x00\x00", 5));
  appendChunk(file, "IDAT", packed);
  appendChunk(file, "IEND", "");
  writeFile(path, file);
}

void writeGif(const std::filesystem::path &path, const Frames &frames, int hundredths) {
  requireFrames(path, frames);
  if (frames.size.width > 65535 || frames.size.height > 65535)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: expected sides up to 65535, found {} x {}", path.string(), frames.size.width,
                            frames.size.height));
  std::map<std::uint32_t, int> palette; // 0xRRGGBB to its index, in order of first use
  std::string colours;
  std::vector<std::uint8_t> indices(frames.rgb.size() / 3);
  for (std::size_t at = 0; at < indices.size(); ++at) {
    const std::uint8_t *rgb = &frames.rgb[3 * at];
    auto [place, is_new] = palette.emplace(rgb[0] << 16 | rgb[1] << 8 | rgb[2], int(palette.size()));
    if (is_new)
      colours.append(reinterpret_cast<const char *>(rgb), 3);
    if (place->second > 255)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("{}: expected at most 256 colours in a GIF, found more", path.string()));
    indices[at] = std::uint8_t(place->second);
  }
  colours.resize(768);

  const std::string size = littleEndian(frames.size.width) + littleEndian(frames.size.height);
  std::string file =
      "GIF89a" + size + std::string("\xF7\x00\x00", 3) + colours;         // a table of 256 colours of 8 bits
  file += std::string("\x21\xFF\x0BNETSCAPE2.0\x03\x01\x00\x00\x00", 19); // again and again
  const std::size_t pixels = indices.size() / frames.count;
  for (int k = 0; k < frames.count; ++k) {
    file += std::string("\x21\xF9\x04\x04", 4) + littleEndian(hundredths) + std::string(2, '\0');
    file += ',' + std::string(4, '\0') + size + '\0' + '\x08';
    file += compressed({indices.begin() + k * pixels, indices.begin() + (k + 1) * pixels});
  }
  writeFile(path, file + ';');
}

} // namespace linmu::media
