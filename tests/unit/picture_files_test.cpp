// Pictures and clips written and read again, byte by byte.
#include "distill/data/moving_shapes.h"
#include "distill/data/written_words.h"
#include "models/media/frame_sampler.h"
#include "models/media/picture_reader.h"
#include "models/media/picture_writer.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temporary_folder.h"

namespace linmu::media {
namespace {

using test::expectError;

Frames allFramesOf(const std::filesystem::path &path, MediaKind kind) {
  VideoReader reader(path, std::nullopt, DamagedVideo::reject, kind);
  Frames frames{.count = 0, .size = reader.frameSize(), .rgb = {}};
  for (std::vector<std::uint8_t> rgb; reader.next(rgb); ++frames.count)
    frames.rgb.insert(frames.rgb.end(), rgb.begin(), rgb.end());
  return frames;
}

TEST(PictureFiles, PngIsReadAsItWasWrittenByOurReaderAndByFfmpeg) {
  test::TemporaryFolder folder;
  const Frames written = distill::writtenWords(1, distill::Split::train, 4, {.side = 96}).frames;
  writePng(folder / "a.png", written);
  EXPECT_EQ(readPicture(folder / "a.png").rgb, written.rgb);
  EXPECT_EQ(allFramesOf(folder / "a.png", MediaKind::picture).rgb, written.rgb);
  EXPECT_EQ(readPicture(folder / "a.png", FrameSize{64, 48}).size, (FrameSize{64, 48}));
}

TEST(PictureFiles, GifIsReadFrameByFrameAsItWasWritten) {
  test::TemporaryFolder folder;
  const Frames written =
      distill::movingShapes(1, distill::Split::train, 2, {.side = 64, .frames = 16}).frames;
  writeGif(folder / "a.gif", written);
  const Frames read = allFramesOf(folder / "a.gif", MediaKind::video);
  EXPECT_EQ(read.count, 16);
  EXPECT_EQ(read.rgb, written.rgb);
}

TEST(PictureFiles, GifOfManyColoursFillsItsTableOfCodes) {
  // More than 4096 different pairs: the table is cleared on the way.
  test::TemporaryFolder folder;
  Frames noise{.count = 1, .size = {160, 120}, .rgb = {}};
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < noise.bytesPerFrame() / 3; ++i) {
    state = state * 1664525 + 1013904223;
    noise.rgb.insert(noise.rgb.end(), {std::uint8_t(state >> 24), 10, 20});
  }
  writeGif(folder / "noise.gif", noise);
  EXPECT_EQ(allFramesOf(folder / "noise.gif", MediaKind::video).rgb, noise.rgb);
  for (std::size_t i = 1; i < noise.rgb.size(); i += 3)
    noise.rgb[i] = std::uint8_t(i / 3 % 7);
  expectError(ErrorCode::invalidArgument, {"noise.gif", "at most 256 colours"},
              [&] { writeGif(folder / "noise.gif", noise); });
}

TEST(PictureFiles, ADamagedPictureIsNamed) {
  test::TemporaryFolder folder;
  writePng(folder / "a.png", distill::writtenWords(1, distill::Split::train, 4, {.side = 64}).frames);
  const std::string bytes = test::readBytes(folder / "a.png");
  test::writeBytes(folder / "cut.png", bytes.substr(0, bytes.size() / 2));
  expectError(ErrorCode::corruptFile, {"cut.png", "intact png"}, [&] { readPicture(folder / "cut.png"); });
  // Every byte is under some check: whatever changes, the picture is refused or is another kind for FFmpeg.
  for (std::size_t at = 33; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] ^= 0x10;
    test::writeBytes(folder / "changed.png", changed);
    EXPECT_THROW(readPicture(folder / "changed.png"), Error) << at;
  }
  test::writeBytes(folder / "text.png", "not a picture at all");
  expectError(ErrorCode::invalidArgument, {"text.png", "a picture file"},
              [&] { readPicture(folder / "text.png"); });
  expectError(ErrorCode::io, {"none.png", "no such file"}, [&] { readPicture(folder / "none.png"); });
  expectError(ErrorCode::io, {"cannot write", "none/a.png", "No such file"},
              [&] { writePng(folder / "none/a.png", readPicture(folder / "a.png")); });
}

} // namespace
} // namespace linmu::media
