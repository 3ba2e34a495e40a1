#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include "runtime/io/json_nesting.h"
#include "runtime/io/mapped_file.h"
#include <fmt/format.h>

namespace linmu::models {

nlohmann::json readJsonObject(const std::filesystem::path &path) {
  MappedFile file(path);
  const char *text = reinterpret_cast<const char *>(file.bytes().data());
  const std::string_view whole(text, file.bytes().size());
  if (nestsTooDeeply(whole))
    throw Error(ErrorCode::corruptFile,
                fmt::format("{} nests lists and objects deeper than {} levels", path.string(), deepest_json));
  nlohmann::json parsed;
  try {
    parsed = nlohmann::json::parse(whole);
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorCode::corruptFile, fmt::format("{} is not valid JSON: {}", path.string(), error.what()));
  }
  if (!parsed.is_object())
    throw Error(ErrorCode::corruptFile,
                fmt::format("{} must hold a JSON object, got {}", path.string(), parsed.type_name()));
  return parsed;
}

} // namespace linmu::models
