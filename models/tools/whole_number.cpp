#include "models/tools/whole_number.h"
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>

namespace linmu::tools {

std::string overflowOf(const std::string &text, bool with_sign) {
  // As CLI11 reads it.
  errno = 0;
  if (with_sign)
    static_cast<void>(std::strtoll(text.c_str(), nullptr, 0));
  else
    static_cast<void>(std::strtoull(text.c_str(), nullptr, 0));
  if (errno != ERANGE)
    return {};
  if (with_sign)
    return fmt::format("must be a whole number from {} to {}, got {}",
                       std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                       text);
  return fmt::format("must be a whole number from 0 to {}, got {}", std::numeric_limits<std::uint64_t>::max(),
                     text);
}

} // namespace linmu::tools
