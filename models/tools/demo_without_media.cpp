// linmu demo in a build that reads no video files.
#include "models/tools/commands.h"
#include "runtime/core/error.h"

namespace linmu::tools {

void addDemo(CLI::App &app) {
  CLI::App *command = app.add_subcommand("demo", "Not in this build, which was configured without FFmpeg");
  command->allow_extras();
  command->callback([] {
    throw Error(ErrorCode::unsupported,
                "linmu demo reads a video file, and this build was configured without FFmpeg",
                "install libavformat, libavcodec, libswscale and libavutil, and build again");
  });
}

} // namespace linmu::tools
