// Options whose value is a whole number.
#pragma once
#include <CLI/CLI.hpp>
#include <concepts>
#include <string>
#include <vector>

namespace linmu::tools {

/// Says what is wrong with `text` unless it is a whole number in decimal digits that std::int64_t (or
/// std::uint64_t) holds; empty otherwise.
std::string faultOfWhole(const std::string &text, bool with_sign);

/// As App::add_option, but refuses what CLI11 2.1 takes for another number: the nearest for one that `T` does
/// not hold, 2^64 - 1 for -1 without a sign, 8 for 010, 1 for true.
template <std::integral T>
CLI::Option *addWholeNumber(CLI::App &command, const std::string &name, T &value,
                            const std::string &description) {
  static_assert(sizeof(T) <= 8);
  return command.add_option(name, value, description)
      ->check([](const std::string &text) { return faultOfWhole(text, std::is_signed_v<T>); }, "");
}

/// The same of several values.
template <std::integral T>
CLI::Option *addWholeNumbers(CLI::App &command, const std::string &name, std::vector<T> &values,
                             const std::string &description) {
  return command.add_option(name, values, description)
      ->check([](const std::string &text) { return faultOfWhole(text, std::is_signed_v<T>); }, "");
}

} // namespace linmu::tools
