// What the processes of one training, its ranks, do together.
#pragma once
#include <cstdint>
#include <string>
#include <torch/torch.h>
#include <vector>

namespace linmu::distill {

/// Every rank calls the same functions in the same order; each throws Error(io) naming the rank once one has
/// ended before its time. For one thread, apart from allReduce(), which one other thread at a time may call.
class Collective {
public:
  virtual ~Collective() = default;

  virtual std::int64_t rank() const = 0;
  virtual std::int64_t ranks() const = 0;

  /// Puts the sum over all ranks, the same bits on each, in the place of `tensor`: contiguous, f32, f64 or
  /// i64, on this rank's device. Returns at once; `tensor` is nobody else's until finish(). On a GPU the sum
  /// begins after what the current stream has been given.
  virtual void allReduce(const torch::Tensor &tensor) = 0;
  /// The same with rank 0's tensor in place of the sum.
  virtual void broadcast(const torch::Tensor &tensor) = 0;
  /// What was asked for before is done; on a GPU for all that the current stream is given from here on.
  virtual void finish() = 0;

  /// `mine` of every rank, by rank. Waits for all of them, not for GPUs.
  virtual std::vector<std::string> gather(const std::string &mine) = 0;
  void barrier() { gather(""); }
  /// Of `values` by place, the same bits on each rank.
  std::vector<double> sums(const std::vector<double> &values);
  /// Whether it is so on some rank.
  bool any(bool mine);

  /// Throws if a rank has ended, and sums may be of no use.
  virtual void check() const = 0;
  /// This rank has done its part: its end ends no other.
  virtual void leave() = 0;
};

/// One process by itself.
class Alone final : public Collective {
public:
  std::int64_t rank() const override { return 0; }
  std::int64_t ranks() const override { return 1; }
  void allReduce(const torch::Tensor &) override {}
  void broadcast(const torch::Tensor &) override {}
  void finish() override {}
  std::vector<std::string> gather(const std::string &mine) override { return {mine}; }
  void check() const override {}
  void leave() override {}
};

} // namespace linmu::distill
