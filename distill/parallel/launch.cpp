#include "distill/parallel/launch.h"
#include "runtime/core/error.h"
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>

namespace linmu::distill {

static std::string textOf(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

static std::int64_t numberOf(const char *name, std::int64_t least, std::int64_t most,
                             std::optional<std::int64_t> otherwise = {}) {
  const std::string text = textOf(name);
  if (text.empty() && otherwise)
    return *otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: expected a whole number from {} to {}, got \"{}\"", name, least, most, text),
                "torchrun sets it; without it and WORLD_SIZE there is one process");
  return value;
}

std::optional<LaunchedRank> LaunchedRank::fromEnvironment() {
  if (textOf("WORLD_SIZE").empty() || numberOf("WORLD_SIZE", 1, 1 << 20) == 1)
    return {};
  LaunchedRank launched;
  launched.ranks = numberOf("WORLD_SIZE", 1, 1 << 20);
  launched.rank = numberOf("RANK", 0, launched.ranks - 1);
  launched.local_ranks = numberOf("LOCAL_WORLD_SIZE", 1, launched.ranks, launched.ranks);
  launched.local_rank = numberOf("LOCAL_RANK", 0, launched.local_ranks - 1, launched.rank);
  launched.address = textOf("MASTER_ADDR");
  if (launched.address.empty())
    throw Error(ErrorCode::invalidArgument,
                "MASTER_ADDR: expected the address of the machine of rank 0, got none", "torchrun sets it");
  launched.port = std::uint16_t(numberOf("MASTER_PORT", 1, 65535));
  launched.launcher_has_store = textOf("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (const std::string attempt = textOf("TORCHELASTIC_RESTART_COUNT"); !attempt.empty())
    launched.attempt = attempt;
  return launched;
}

} // namespace linmu::distill
