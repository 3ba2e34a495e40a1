#include "distill/parallel/ring_collective.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::distill {

RingCollective::RingCollective(const LaunchedRank &launched)
    : group_(launched), thread_([this] { work(); }) {}

RingCollective::~RingCollective() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    // Only where an error passes is something left, which waits for others.
    if (!queue_.empty())
      group_.abandon();
  }
  changed_.notify_all();
  thread_.join();
}

void RingCollective::queue(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void RingCollective::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_)
      return;
    if (!failure_) {
      const std::function<void()> &next = queue_.front();
      lock.unlock();
      std::exception_ptr failure;
      try {
        next();
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      failure_ = failure;
    }
    queue_.pop_front();
    changed_.notify_all();
  }
}

void RingCollective::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.empty(); });
  if (!failure_)
    return;
  lock.unlock();
  try {
    std::rethrow_exception(failure_);
  } catch (const Disconnected &) {
    group_.throwLost();
  }
}

static void requireHostTensor(const torch::Tensor &tensor) {
  if (!tensor.is_contiguous() || !tensor.device().is_cpu())
    throw Error(
        ErrorCode::internal,
        fmt::format("the ring requires contiguous tensors on the CPU, got one on {}", tensor.device().str()));
}

void RingCollective::allReduce(const torch::Tensor &tensor) {
  requireHostTensor(tensor);
  queue([this, tensor] {
    switch (tensor.scalar_type()) {
    case torch::kFloat32:
      return sum(tensor.data_ptr<float>(), tensor.numel());
    case torch::kFloat64:
      return sum(tensor.data_ptr<double>(), tensor.numel());
    case torch::kInt64:
      return sum(tensor.data_ptr<std::int64_t>(), tensor.numel());
    default:
      throw Error(ErrorCode::internal, fmt::format("the ring requires f32, f64 or i64, got {}",
                                                   torch::toString(tensor.scalar_type())));
    }
  });
}

template <typename T> void RingCollective::sum(T *values, std::int64_t count) {
  const std::int64_t ranks = this->ranks(), rank = this->rank();
  auto begin = [&](std::int64_t part) { return part * count / ranks; };
  auto part = [&](std::int64_t number) {
    number = ((number % ranks) + ranks) % ranks;
    return std::span(values + begin(number), std::size_t(begin(number + 1) - begin(number)));
  };
  std::vector<T> arrived(std::size_t(count / ranks + 1));
  // A part is summed on its way round: the same additions whoever looks at the result.
  for (std::int64_t turn = 0; turn + 1 < ranks; ++turn) {
    const std::span<T> out = part(rank - turn), in = part(rank - turn - 1);
    exchange(group_.next(), std::as_bytes(out), group_.previous(),
             std::as_writable_bytes(std::span(arrived).first(in.size())));
    for (std::size_t i = 0; i < in.size(); ++i)
      in[i] += arrived[i];
  }
  for (std::int64_t turn = 0; turn + 1 < ranks; ++turn)
    exchange(group_.next(), std::as_bytes(part(rank - turn + 1)), group_.previous(),
             std::as_writable_bytes(part(rank - turn)));
}

void RingCollective::broadcast(const torch::Tensor &tensor) {
  requireHostTensor(tensor);
  queue([this, tensor] { pass({static_cast<std::byte *>(tensor.data_ptr()), tensor.nbytes()}); });
}

/// From rank 0 to the next and on, piece by piece, so that all are busy.
void RingCollective::pass(std::span<std::byte> bytes) {
  constexpr std::size_t piece = 1 << 18;
  for (std::size_t first = 0; first < bytes.size(); first += piece) {
    const std::span<std::byte> part = bytes.subspan(first, std::min(piece, bytes.size() - first));
    if (rank() > 0)
      group_.previous().receive(part);
    if (rank() + 1 < ranks())
      group_.next().send(part);
  }
}

std::vector<std::string> RingCollective::gather(const std::string &mine) {
  std::vector<std::string> texts;
  queue([&] { texts = goRound(mine); });
  finish();
  return texts;
}

std::vector<std::string> RingCollective::goRound(const std::string &mine) {
  std::vector<std::string> texts{std::size_t(ranks())};
  texts[std::size_t(rank())] = mine;
  for (std::int64_t turn = 0; turn + 1 < ranks(); ++turn) {
    const std::string &out = texts[std::size_t((rank() - turn + ranks()) % ranks())];
    std::string &in = texts[std::size_t((rank() - turn - 1 + ranks()) % ranks())];
    std::uint64_t leaves = out.size(), comes = 0;
    exchange(group_.next(), std::as_bytes(std::span(&leaves, 1)), group_.previous(),
             std::as_writable_bytes(std::span(&comes, 1)));
    in.resize(comes);
    exchange(group_.next(), std::as_bytes(std::span(out)), group_.previous(),
             std::as_writable_bytes(std::span(in)));
  }
  return texts;
}

} // namespace linmu::distill
