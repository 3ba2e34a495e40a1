// The commands that need FFmpeg, in a build that reads no video files.
#include "models/tools/commands.h"
#include "runtime/core/error.h"

namespace linmu::tools {

static void addMissing(CLI::App &app, const std::string &name) {
  CLI::App *command = app.add_subcommand(name, "Not in this build, which was configured without FFmpeg");
  command->allow_extras();
  command->callback([name] {
    throw Error(ErrorCode::unsupported,
                "linmu " + name + " reads video files, and this build was configured without FFmpeg",
                "install libavformat, libavcodec, libswscale and libavutil, and build again");
  });
}

void addAnswer(CLI::App &app) { addMissing(app, "answer"); }
void addData(CLI::App &app) { addMissing(app, "data"); }
void addDemo(CLI::App &app) { addMissing(app, "demo"); }
void addEval(CLI::App &app) { addMissing(app, "eval"); }
void addInit(CLI::App &app) { addMissing(app, "init"); }

} // namespace linmu::tools
