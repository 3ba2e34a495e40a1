// Small video files made for tests.
#pragma once
#include <filesystem>

namespace linmu::test {

/// Grey frames, the k-th of luma 16 + 5 k on its left half and 5 brighter on its right. MPEG-4 part 2.
struct TestClip {
  int frames = 40;
  int width = 64;
  int height = 48;
  int clockwise_degrees = 0; ///< what a player has to turn it by
  bool mirrored = false;     ///< a player has to swap left and right
  bool index_first = false;  ///< of MP4: the index before the data, so that a cut file still opens
  int first_frame = 0;       ///< of the painted and timed numbers
};

/// The container follows the extension. A failure throws std::runtime_error.
void writeClip(const std::filesystem::path &path, const TestClip &clip);

/// An AVI file of one frame of 16 x 16 as UYYVYY411, which FFmpeg decodes but does not convert.
void writeUnconvertible(const std::filesystem::path &path);

/// One second of silence: RIFF/WAVE, 16 bits, mono, 8 kHz.
void writeSilence(const std::filesystem::path &path);

/// FLAC without a sample, with a picture of its cover.
void writeCover(const std::filesystem::path &path);

} // namespace linmu::test
