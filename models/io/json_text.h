// JSON of users, whatever its bytes.
#pragma once
#include "runtime/io/json_nesting.h"
#include <nlohmann/json.hpp>
#include <string_view>

namespace linmu::models {

/// Discarded (`is_discarded()`) where `text` is not JSON, or nests too deeply to be worked with.
inline nlohmann::json parseJson(std::string_view text) {
  return nestsTooDeeply(text) ? nlohmann::json(nlohmann::json::value_t::discarded)
                              : nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

} // namespace linmu::models
