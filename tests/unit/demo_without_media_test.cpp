// `linmu demo` of a build without FFmpeg.
#include "models/tools/commands.h"
#include "runtime/core/error.h"
#include <gtest/gtest.h>

TEST(DemoWithoutMedia, SaysWhatIsMissing) {
  CLI::App app;
  linmu::tools::addDemo(app);
  try {
    app.parse("demo --model x.gguf --video clip.mp4");
    FAIL() << "expected an error";
  } catch (const linmu::Error &error) {
    EXPECT_EQ(error.code(), linmu::ErrorCode::unsupported);
    EXPECT_STREQ(error.what(), "linmu demo reads a video file, and this build was configured without FFmpeg");
    EXPECT_EQ(error.hint(), "install libavformat, libavcodec, libswscale and libavutil, and build again");
  }
}
