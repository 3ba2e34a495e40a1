#include "distill/data/generators.h"
#include "distill/data/moving_shapes.h"
#include "distill/data/written_words.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace linmu::distill {

static const std::map<std::string, Generator, std::less<>> generators = {
    {"moving-shapes", {movingShapes, movingShapesKinds}},
    {"written-words", {writtenWords, writtenWordsKinds}}};

std::vector<std::string> generatorNames() {
  std::vector<std::string> names;
  for (const auto &[name, generator] : generators)
    names.push_back(name);
  return names;
}

Generator generatorNamed(std::string_view name) {
  auto found = generators.find(name);
  if (found == generators.end())
    throw Error(ErrorCode::invalidArgument, fmt::format("no generator is named '{}'; there are: {}", name,
                                                        fmt::join(generatorNames(), ", ")));
  return found->second;
}

} // namespace linmu::distill
