#include "models/tools/commands.h"
#include "runtime/core/error.h"
#include <c10/util/Exception.h>
#include <fmt/format.h>

int main(int argc, char **argv) {
  CLI::App app("LinMU: linear-complexity language and vision-language models");
  app.require_subcommand(1);
  linmu::tools::addDemo(app);
  linmu::tools::addGenerate(app);
  linmu::tools::addSettings(app);
  try {
    app.parse(argc, argv); // runs the subcommand
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const linmu::Error &error) {
    fmt::print(stderr, "linmu: error: {}\n", error.what());
    if (!error.hint().empty())
      fmt::print(stderr, "linmu: hint: {}\n", error.hint());
    return 1;
  } catch (const c10::Error &error) {
    fmt::print(stderr, "linmu: error: torch: {}\n", error.what_without_backtrace());
    return 1;
  } catch (const std::exception &error) {
    fmt::print(stderr, "linmu: error: {}\n", error.what());
    return 1;
  }
  return 0;
}
