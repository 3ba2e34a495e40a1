#include "models/tools/whole_number.h"
#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <limits>

namespace linmu::tools {

template <typename T> static std::string faultOf(const std::string &text) {
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  const bool leading_zero = text.size() > first + 1 && text[first] == '0';
  if (error == std::errc() && end == text.data() + text.size() && !leading_zero)
    return {};
  return fmt::format("must be a whole number from {} to {}, got '{}'", std::numeric_limits<T>::min(),
                     std::numeric_limits<T>::max(), text);
}

std::string faultOfWhole(const std::string &text, bool with_sign) {
  return with_sign ? faultOf<std::int64_t>(text) : faultOf<std::uint64_t>(text);
}

} // namespace linmu::tools
