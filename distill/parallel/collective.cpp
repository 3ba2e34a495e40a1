#include "distill/parallel/collective.h"
#include "runtime/core/error.h"
#include <cstring>
#include <fmt/format.h>

namespace linmu::distill {

std::vector<double> Collective::sums(const std::vector<double> &values) {
  if (ranks() == 1)
    return values;
  const std::size_t bytes = values.size() * sizeof(double);
  std::vector<double> sum(values.size()), of_rank(values.size());
  for (const std::string &text : gather({reinterpret_cast<const char *>(values.data()), bytes})) {
    if (text.size() != bytes)
      throw Error(ErrorCode::internal,
                  fmt::format("ranks sum lists of one length, got {} and {} bytes", bytes, text.size()));
    std::memcpy(of_rank.data(), text.data(), bytes);
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] += of_rank[i];
  }
  return sum;
}

bool Collective::any(bool mine) {
  for (const std::string &text : gather(mine ? "1" : ""))
    if (!text.empty())
      return true;
  return false;
}

} // namespace linmu::distill
