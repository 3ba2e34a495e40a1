// The program `linmu`. What runs models lies in a library of its own, which needs torch; this starts without
// it.
#include "models/tools/commands.h"
#include "models/tools/torch_library.h"
#include "runtime/core/error.h"
#include "runtime/core/version.h"
#include "runtime/io/interruption.h"
#include "runtime/io/standard_streams.h"
#include <cstdio>
#include <dlfcn.h>
#include <filesystem>
#include <string>
#include <system_error>

namespace {

using linmu::Error;
using linmu::ErrorCode;
using Program = int(int argc, char **argv);

void print(const Error &error) {
  std::fprintf(stderr, "linmu: error: %s\n", error.what());
  if (!error.hint().empty())
    std::fprintf(stderr, "linmu: hint: %s\n", error.hint().c_str());
}

/// torch's math library ends the process in a folder that was removed, with a message about one of its own
/// files.
void checkFolder() {
  std::error_code error;
  static_cast<void>(std::filesystem::current_path(error));
  if (error)
    throw Error(ErrorCode::io, "the folder that this runs in cannot be named: " + error.message(),
                "it may have been removed; change to one that is there");
}

/// The whole program, from the library of the models. Throws Error(unsupported) where torch is missing.
Program *openModels() {
  checkFolder();
  linmu::tools::openTorch();
  void *models = ::dlopen("liblinmu_models.so", RTLD_NOW | RTLD_LOCAL);
  void *function = models ? ::dlsym(models, "linmu_models_main") : nullptr;
  if (!function)
    throw Error(ErrorCode::unsupported,
                std::string("the library of the models cannot be opened: ") + ::dlerror());
  return reinterpret_cast<Program *>(function);
}

/// What needs no torch.
int runWithoutModels(int argc, char **argv) {
  CLI::App app("LinMU: linear-complexity language and vision-language models");
  app.set_version_flag("--version", std::string("linmu ") + linmu::version());
  app.require_subcommand(1);
  linmu::tools::addDoctor(app);
  linmu::tools::addSettings(app);
  try {
    try {
      app.parse(argc, argv); // runs the subcommand
    } catch (const CLI::ParseError &error) {
      if (app.exit(error) != 0) // prints help or the error
        return 2;
    }
    linmu::flushStandardOutput();
  } catch (const Error &error) {
    print(error);
    return 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "linmu: error: %s\n", error.what());
    return 1;
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  linmu::prepareStandardStreams();
  linmu::endOnSignals();
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "doctor" || first == "settings" || first == "--version")
    return runWithoutModels(argc, argv);
  try {
    return openModels()(argc, argv);
  } catch (const Error &error) {
    print(error);
    // Help lists what there is.
    return first == "--help" || first == "-h" ? runWithoutModels(argc, argv) : 1;
  }
}
