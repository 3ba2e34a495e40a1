#include "distill/parallel/nccl_collective.h"
#include "runtime/core/error.h"
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace linmu::distill {

NcclCollective::NcclCollective(std::unique_ptr<RingCollective> host, torch::Device device)
    : host_(std::move(host)), nccl_(NcclLibrary::get()), device_(device),
      stream_(c10::impl::VirtualGuardImpl(device.type()).getNewStream(device)), launched_(device.type()),
      summed_(device.type()) {
  const c10::DeviceGuard guard(device_);
  NcclLibrary::UniqueId id{};
  std::string text;
  if (rank() == 0) {
    nccl_.check(nccl_.getUniqueId(&id), "ncclGetUniqueId");
    text.assign(id.bytes.data(), id.bytes.size());
  }
  text = host_->gather(text).front();
  if (text.size() != id.bytes.size())
    throw Error(ErrorCode::internal,
                fmt::format("NCCL's id has {} bytes, got {}", id.bytes.size(), text.size()));
  std::memcpy(id.bytes.data(), text.data(), text.size());
  NcclLibrary::Communicator made = nullptr;
  nccl_.check(nccl_.commInitRank(&made, int(ranks()), id, int(rank())), "ncclCommInitRank");
  communicator_ = made;
  // Kernels that wait for a lost rank end by this, and whoever waits for them.
  host_->group().onLost([this] { abort(); });
  check();
}

NcclCollective::~NcclCollective() {
  host_->group().onLost({});
  abort(); // where leave() has not destroyed it
}

void NcclCollective::abort() {
  // Held by a call that hangs, the communicator cannot be had; then the group's watch ends the process.
  std::unique_lock lock(mutex_, std::chrono::seconds(10));
  if (!lock)
    return;
  if (NcclLibrary::Communicator mine = std::exchange(communicator_, nullptr))
    nccl_.commAbort(mine);
}

void NcclCollective::leave() {
  {
    const c10::DeviceGuard guard(device_);
    stream_.synchronize();
    std::lock_guard lock(mutex_);
    if (NcclLibrary::Communicator mine = std::exchange(communicator_, nullptr))
      nccl_.commDestroy(mine);
  }
  host_->leave();
}

int NcclCollective::typeOf(const torch::Tensor &tensor) const {
  if (tensor.is_contiguous() && tensor.device() == device_)
    switch (tensor.scalar_type()) {
    case torch::kFloat32:
      return NcclLibrary::f32;
    case torch::kFloat64:
      return NcclLibrary::f64;
    case torch::kInt64:
      return NcclLibrary::i64;
    default:
      break;
    }
  throw Error(ErrorCode::internal,
              fmt::format("sums on {} require contiguous tensors of f32, f64 or i64, got {} on {}",
                          device_.str(), torch::toString(tensor.scalar_type()), tensor.device().str()));
}

void NcclCollective::launch(const torch::Tensor &tensor, const Call &call, const char *what) {
  const int type = typeOf(tensor);
  const c10::DeviceGuard guard(device_);
  launched_.record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  launched_.block(stream_);
  check();
  std::lock_guard lock(mutex_);
  if (communicator_)
    nccl_.check(call(tensor.data_ptr(), std::size_t(tensor.numel()), type, stream_.native_handle()), what);
}

void NcclCollective::allReduce(const torch::Tensor &tensor) {
  launch(
      tensor,
      [this](void *memory, std::size_t count, int type, NcclLibrary::Stream stream) {
        return nccl_.allReduce(memory, memory, count, type, NcclLibrary::sum, communicator_, stream);
      },
      "ncclAllReduce");
}

void NcclCollective::broadcast(const torch::Tensor &tensor) {
  launch(
      tensor,
      [this](void *memory, std::size_t count, int type, NcclLibrary::Stream stream) {
        return nccl_.broadcast(memory, memory, count, type, /*root=*/0, communicator_, stream);
      },
      "ncclBroadcast");
}

void NcclCollective::finish() {
  const c10::DeviceGuard guard(device_);
  summed_.record(stream_);
  summed_.block(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  check();
}

} // namespace linmu::distill
