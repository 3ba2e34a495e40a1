#include "distill/data/example.h"
#include "distill/data/random.h"
#include <numeric>

namespace linmu::distill {

std::string_view name(Split split) { return split == Split::train ? "train" : "held-out"; }

std::int64_t balancedAnswer(std::uint64_t seed, Split split, std::uint64_t question, std::int64_t number,
                            std::int64_t count) {
  std::vector<std::int64_t> block(static_cast<std::size_t>(count));
  std::iota(block.begin(), block.end(), 0);
  Random random{seed, std::uint64_t(split), question, 0xB10C, std::uint64_t(number / count)};
  random.shuffle(block);
  return block[static_cast<std::size_t>(number % count)];
}

} // namespace linmu::distill
