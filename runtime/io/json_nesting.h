// How deeply a JSON text nests, before it is parsed.
#pragma once
#include <cstddef>
#include <string_view>

namespace linmu {

/// What any file that LinMU reads needs, with room to spare.
inline constexpr std::size_t deepest_json = 200;

/// Whether lists and objects in `text` lie deeper in each other than `deepest_json`. nlohmann/json copies,
/// prints and compares by recursion, so that a text of brackets alone would end the process. For any bytes.
bool nestsTooDeeply(std::string_view text);

} // namespace linmu
