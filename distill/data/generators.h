// The generators by name.
#pragma once
#include "distill/data/example.h"
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::distill {

struct Generator {
  /// A pure function of its arguments.
  Example (*make)(std::uint64_t seed, Split split, std::int64_t number, const GeneratorOptions &options);
  /// Of question: number n has that of n modulo their number.
  std::span<const std::string_view> kinds;

  Example operator()(std::uint64_t seed, Split split, std::int64_t number,
                     const GeneratorOptions &options) const {
    return make(seed, split, number, options);
  }
};

/// "moving-shapes", "written-words".
std::vector<std::string> generatorNames();

/// Throws Error(invalidArgument) for another name, with those that there are.
Generator generatorNamed(std::string_view name);

} // namespace linmu::distill
