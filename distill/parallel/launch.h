// Which of the processes that a launcher has started this is.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace linmu::distill {

/// As torchrun says it in the environment (https://docs.pytorch.org/docs/stable/elastic/run.html).
struct LaunchedRank {
  std::int64_t rank = 0, ranks = 1;             ///< RANK of WORLD_SIZE
  std::int64_t local_rank = 0, local_ranks = 1; ///< LOCAL_RANK of LOCAL_WORLD_SIZE, on this machine
  std::string address;                          ///< MASTER_ADDR, where the store is
  std::uint16_t port = 0;                       ///< MASTER_PORT
  /// TORCHELASTIC_USE_AGENT_STORE: the launcher holds the store; rank 0 does otherwise.
  bool launcher_has_store = false;
  std::string attempt = "0"; ///< TORCHELASTIC_RESTART_COUNT: ranks of an earlier attempt used other keys

  /// Nothing where no launcher says that there are several ranks. Throws Error(invalidArgument) naming the
  /// variable that is missing or does not fit.
  static std::optional<LaunchedRank> fromEnvironment();
};

} // namespace linmu::distill
