// Sums over ranks by NCCL, for tensors on GPUs.
#pragma once
#include "distill/parallel/nccl_library.h"
#include "distill/parallel/ring_collective.h"
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <functional>
#include <memory>
#include <mutex>

namespace linmu::distill {

/// One GPU a rank. Sums run on a stream of their own beside what is computed; texts, and the watch over the
/// other ranks, go over `host`.
class NcclCollective final : public Collective {
public:
  /// Throws Error(unsupported) where there is no NCCL, Error(io) with its reason where it fails.
  NcclCollective(std::unique_ptr<RingCollective> host, torch::Device device);
  ~NcclCollective() override;

  std::int64_t rank() const override { return host_->rank(); }
  std::int64_t ranks() const override { return host_->ranks(); }
  void allReduce(const torch::Tensor &tensor) override;
  void broadcast(const torch::Tensor &tensor) override;
  void finish() override;
  std::vector<std::string> gather(const std::string &mine) override { return host_->gather(mine); }
  void check() const override { host_->check(); }
  void leave() override;

private:
  int typeOf(const torch::Tensor &tensor) const;
  using Call = std::function<int(void *memory, std::size_t count, int type, NcclLibrary::Stream stream)>;
  /// Runs `call` on the memory of `tensor` after what this thread has launched; `what` is its name.
  void launch(const torch::Tensor &tensor, const Call &call, const char *what);
  void abort();

  std::unique_ptr<RingCollective> host_;
  const NcclLibrary &nccl_;
  torch::Device device_;
  c10::Stream stream_;
  c10::Event launched_, summed_;
  std::timed_mutex mutex_; ///< of the communicator, which another thread may abort
  NcclLibrary::Communicator communicator_ = nullptr;
};

} // namespace linmu::distill
