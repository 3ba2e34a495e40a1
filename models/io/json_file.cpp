#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include "runtime/io/mapped_file.h"
#include <fmt/format.h>

namespace linmu::models {

nlohmann::json readJsonObject(const std::filesystem::path &path) {
  MappedFile file(path);
  const char *text = reinterpret_cast<const char *>(file.bytes().data());
  nlohmann::json parsed;
  try {
    parsed = nlohmann::json::parse(text, text + file.bytes().size());
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorCode::corruptFile, fmt::format("{} is not valid JSON: {}", path.string(), error.what()));
  }
  if (!parsed.is_object())
    throw Error(ErrorCode::corruptFile,
                fmt::format("{} must hold a JSON object, got {}", path.string(), parsed.type_name()));
  return parsed;
}

} // namespace linmu::models
