#include "distill/parallel/join.h"
#include "distill/parallel/nccl_collective.h"
#include "runtime/core/error.h"
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

namespace linmu::distill {

std::unique_ptr<Collective> joinRanks(const std::optional<LaunchedRank> &launched, torch::Device device) {
  if (!launched)
    return std::make_unique<Alone>();
  if (device.is_cuda()) {
    const auto found = std::int64_t(torch::cuda::device_count());
    if (found == 0)
      throw Error(ErrorCode::unsupported, "device \"cuda\": torch finds no GPU here",
                  "\"device\": \"cpu\" runs anywhere");
    if (launched->local_ranks > found)
      throw Error(ErrorCode::unsupported,
                  fmt::format("each rank has a GPU of its own: {} ranks on this machine, {} GPUs",
                              launched->local_ranks, found),
                  fmt::format("torchrun --nproc-per-node {}", found));
    c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  }
  auto ring = std::make_unique<RingCollective>(*launched);
  if (device.is_cuda())
    return std::make_unique<NcclCollective>(std::move(ring), device);
  return ring;
}

} // namespace linmu::distill
