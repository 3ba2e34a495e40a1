// Options whose value is a whole number.
#pragma once
#include <CLI/CLI.hpp>
#include <concepts>
#include <string>

namespace linmu::tools {

/// Says what is wrong with `text` if it is a whole number that std::int64_t (or std::uint64_t) does not hold;
/// empty otherwise.
std::string overflowOf(const std::string &text, bool with_sign);

/// As App::add_option, but refuses a number that `T` does not hold, in whose place CLI11 2.1 takes the
/// nearest.
template <std::integral T>
CLI::Option *addWholeNumber(CLI::App &command, const std::string &name, T &value,
                            const std::string &description) {
  static_assert(sizeof(T) <= 8);
  return command.add_option(name, value, description)
      ->check([](const std::string &text) { return overflowOf(text, std::is_signed_v<T>); }, "");
}

} // namespace linmu::tools
