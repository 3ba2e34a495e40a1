// A JSON file of a checkpoint.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

namespace linmu::models {

/// Throws Error(io) if the file cannot be read, Error(corruptFile) if it is not a JSON object.
nlohmann::json readJsonObject(const std::filesystem::path &path);

} // namespace linmu::models
