// linmu settings: every setting, the variable that sets it and its value.
#include "models/tools/commands.h"
#include "runtime/core/settings.h"
#include "runtime/io/standard_streams.h"
#include <fmt/format.h>

namespace linmu::tools {

void addSettings(CLI::App &app) {
  CLI::App *command = app.add_subcommand("settings", "List the settings, their variables and values");
  command->callback([] {
    for (const SettingDescription &row : describe(Settings::current()))
      writeStandardOutput(fmt::format("{}={}\n    {}\n", row.variable, row.value, row.meaning));
  });
}

} // namespace linmu::tools
