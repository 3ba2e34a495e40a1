// The generators by name.
#pragma once
#include "distill/data/example.h"
#include <string>
#include <string_view>
#include <vector>

namespace linmu::distill {

/// A pure function of its arguments.
using Generator = Example (*)(std::uint64_t seed, Split split, std::int64_t number,
                              const GeneratorOptions &options);

/// "moving-shapes", "written-words".
std::vector<std::string> generatorNames();

/// Throws Error(invalidArgument) for another name, with those that there are.
Generator generatorNamed(std::string_view name);

} // namespace linmu::distill
