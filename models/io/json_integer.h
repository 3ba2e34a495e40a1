// Integers of JSON files.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace linmu::models {

/// The integer that `value` is, if it lies from `least` to `most`; nothing for other numbers (1.0 is no
/// integer) and for what is no number. get<std::int64_t>() converts those unasked, which is undefined
/// for 8.6e+77.
inline std::optional<std::int64_t> integerIn(const nlohmann::json &value, std::int64_t least,
                                             std::int64_t most) {
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
    return {};
  const auto integer = value.get<std::int64_t>();
  return integer >= least && integer <= most ? std::optional(integer) : std::nullopt;
}

/// The integers that the list `value` holds, if it is a list and integerIn() takes each of its elements.
inline std::optional<std::vector<std::int64_t>> integersIn(const nlohmann::json &value, std::int64_t least,
                                                           std::int64_t most) {
  if (!value.is_array())
    return {};
  std::vector<std::int64_t> integers;
  for (const nlohmann::json &element : value) {
    const auto integer = integerIn(element, least, most);
    if (!integer)
      return {};
    integers.push_back(*integer);
  }
  return integers;
}

} // namespace linmu::models
