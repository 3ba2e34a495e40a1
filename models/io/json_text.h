// JSON of users, whatever its bytes.
#pragma once
#include "runtime/io/json_nesting.h"
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace linmu::models {

/// Discarded (`is_discarded()`) where `text` is not JSON, or nests too deeply to be worked with.
inline nlohmann::json parseJson(std::string_view text) {
  return nestsTooDeeply(text) ? nlohmann::json(nlohmann::json::value_t::discarded)
                              : nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// Whether `value` is a text that names a file or folder: one with the character U+0000 would be cut there.
inline bool isPath(const nlohmann::json &value) {
  if (!value.is_string())
    return false;
  const auto &text = value.get_ref<const std::string &>();
  return !text.empty() && text.find('\0') == text.npos;
}

} // namespace linmu::models
