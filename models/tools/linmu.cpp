// Every command, as liblinmu_models.so offers them to models/tools/program.cpp.
#include "models/tools/commands.h"
#include "runtime/core/error.h"
#include "runtime/core/version.h"
#include "runtime/io/interruption.h"
#include "runtime/io/mapping_fault.h"
#include "runtime/io/standard_streams.h"
#include <c10/util/Exception.h>
#include <cstdio>
#include <string>

namespace {

void print(const std::string &kind, const std::string &message) {
  // Not fmt::print, which throws if nobody can read the message.
  std::fputs(("linmu: " + kind + ": " + message + "\n").c_str(), stderr);
}

int run(int argc, char **argv) {
  CLI::App app("LinMU: linear-complexity language and vision-language models");
  app.set_version_flag("--version", std::string("linmu ") + linmu::version());
  app.require_subcommand(1);
  linmu::tools::addAnswer(app);
  linmu::tools::addBench(app);
  linmu::tools::addChat(app);
  linmu::tools::addData(app);
  linmu::tools::addDemo(app);
  linmu::tools::addDistill(app);
  linmu::tools::addDoctor(app);
  linmu::tools::addEval(app);
  linmu::tools::addGenerate(app);
  linmu::tools::addInit(app);
  linmu::tools::addSettings(app);
  linmu::tools::addTrain(app);
  try {
    try {
      app.parse(argc, argv); // runs the subcommand
    } catch (const CLI::ParseError &error) {
      if (app.exit(error) != 0) // prints help or the error
        return 2;
    }
    linmu::flushStandardOutput();
  } catch (const linmu::Error &error) {
    print("error", error.what());
    if (!error.hint().empty())
      print("hint", error.hint());
    return 1;
  } catch (const c10::Error &error) {
    print("error", std::string("torch: ") + error.what_without_backtrace());
    return 1;
  } catch (const std::exception &error) {
    print("error", error.what());
    return 1;
  }
  return 0;
}

} // namespace

extern "C" __attribute__((visibility("default"))) int linmu_models_main(int argc, char **argv) {
  // Signals and mapped files are known to this library, which is what works on files.
  linmu::prepareStandardStreams();
  linmu::endOnSignals();
  linmu::reportMappingFaults("linmu");
  return run(argc, argv);
}
