// The option --out of commands that may do without it.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace linmu::tools {

/// As App::add_option for --out, but refuses an empty path (a script's variable that is not set), which would
/// be taken for none.
inline CLI::Option *addOut(CLI::App &command, std::string &value, const std::string &description) {
  return command.add_option("--out", value, description)
      ->check(
          [](const std::string &text) {
            return text.empty() ? std::string("requires a path, got an empty one") : std::string();
          },
          "");
}

} // namespace linmu::tools
