#include "distill/data/description.h"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace linmu::distill {

using nlohmann::json;

/// What `facts` say of each shape, by the shapes' names.
static std::map<std::string, std::string> ofShapes(const json &facts, const char *key) {
  std::map<std::string, std::string> said;
  for (std::size_t i = 0; i < facts.at("shapes").size(); ++i) {
    const json &value = facts.at(key).at(i);
    said[facts.at("shapes").at(i)] =
        value.is_string() ? value.get<std::string>() : std::to_string(value.get<int>());
  }
  return said;
}

/// The corners of each shape in order; facts are "SHAPE: CORNER".
static std::string paths(const json &facts) {
  std::map<std::string, std::vector<std::string>> corners;
  for (const std::string text : facts.at("corners")) {
    const std::size_t colon = text.find(": ");
    corners[text.substr(0, colon)].push_back(text.substr(colon + 2));
  }
  std::vector<std::string> parts;
  for (const auto &[shape, path] : corners)
    parts.push_back(fmt::format("{} {}", shape, fmt::join(path, ", ")));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string askForDescription(const Example &example) {
  return example.video ? "describe the video" : "describe the picture";
}

std::string describe(const Example &example) {
  const json &facts = example.facts;
  std::vector<std::string> parts;
  if (facts.contains("corners"))
    return paths(facts);
  if (facts.contains("order")) {
    parts = facts.at("order").get<std::vector<std::string>>();
  } else if (facts.contains("lines")) {
    for (const json &line : facts.at("lines"))
      parts.push_back(
          fmt::format("{} {}", line.at("colour").get<std::string>(), line.at("text").get<std::string>()));
  } else {
    for (const auto &[shape, said] : ofShapes(facts, facts.contains("moves") ? "moves" : "appears"))
      parts.push_back(fmt::format("{} {}", shape, said));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

} // namespace linmu::distill
