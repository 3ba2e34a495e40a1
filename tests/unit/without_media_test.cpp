// Commands of a build without FFmpeg.
#include "models/tools/commands.h"
#include "runtime/core/error.h"
#include <gtest/gtest.h>

TEST(WithoutMedia, CommandsSayWhatIsMissing) {
  using Add = void (*)(CLI::App &);
  using namespace linmu::tools;
  for (auto [name, add] : {std::pair<std::string, Add>("answer", addAnswer),
                           {"data", addData},
                           {"demo", addDemo},
                           {"eval", addEval},
                           {"init", addInit}}) {
    CLI::App app;
    add(app);
    try {
      app.parse(name + " --model x.gguf --video clip.mp4");
      FAIL() << "expected an error";
    } catch (const linmu::Error &error) {
      EXPECT_EQ(error.code(), linmu::ErrorCode::unsupported);
      EXPECT_EQ(error.what(),
                "linmu " + name + " reads video files, and this build was configured without FFmpeg");
      EXPECT_EQ(error.hint(), "install libavformat, libavcodec, libswscale and libavutil, and build again");
    }
  }
}
