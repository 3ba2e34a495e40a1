// The ranks that a launcher has started become one training.
#pragma once
#include "distill/parallel/collective.h"
#include "distill/parallel/launch.h"
#include <memory>
#include <optional>

namespace linmu::distill {

/// Waits for all ranks: over sockets for the CPU, by NCCL for the GPU `device`, whose number is the place on
/// its machine; without `launched` one process alone. Throws Error(io) naming a rank that does not come,
/// Error(unsupported) where a GPU is missing.
std::unique_ptr<Collective> joinRanks(const std::optional<LaunchedRank> &launched, torch::Device device);

} // namespace linmu::distill
