// Sums over ranks by sockets, for tensors on the CPU.
#pragma once
#include "distill/parallel/collective.h"
#include "distill/parallel/rank_group.h"
#include <deque>
#include <exception>

namespace linmu::distill {

/// The ring's algorithm: each rank owns a part of the tensor, whose sum goes round once and comes round again
/// to all, so that a rank sends less than twice the tensor whatever their number. A thread does one thing
/// after the other, in the order in which they were asked for.
class RingCollective final : public Collective {
public:
  explicit RingCollective(const LaunchedRank &launched);
  ~RingCollective() override;

  std::int64_t rank() const override { return group_.rank(); }
  std::int64_t ranks() const override { return group_.ranks(); }
  /// Throws Error(internal) for a tensor that is not contiguous, f32, f64 or i64, and on the CPU.
  void allReduce(const torch::Tensor &tensor) override;
  void broadcast(const torch::Tensor &tensor) override;
  void finish() override;
  std::vector<std::string> gather(const std::string &mine) override;
  void check() const override { group_.check(); }
  void leave() override { group_.leave(); }

  RankGroup &group() { return group_; }

private:
  void queue(std::function<void()> work);
  void work();
  template <typename T> void sum(T *values, std::int64_t count);
  void pass(std::span<std::byte> bytes);
  std::vector<std::string> goRound(const std::string &mine);

  RankGroup group_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_; ///< the first is at work
  std::exception_ptr failure_;              ///< after which nothing is done any more
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace linmu::distill
