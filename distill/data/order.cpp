#include "distill/data/order.h"
#include "distill/data/random.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace linmu::distill {

Order::Order(std::vector<WeightedSet> sets, bool shuffled, std::uint64_t seed, std::int64_t rank,
             std::int64_t ranks)
    : sets_(std::move(sets)), shuffled_(shuffled), seed_(seed), rank_(rank), ranks_(ranks) {
  std::int64_t total = 0;
  for (const WeightedSet &entry : sets_) {
    if (entry.repeat < 1)
      throw Error(ErrorCode::invalidArgument, fmt::format("{}: a set comes at least once in a pass, got {}",
                                                          entry.set->fingerprint(), entry.repeat));
    ends_.push_back(total += entry.repeat * entry.set->size());
    fingerprint_ += fmt::format("{} x {}; ", entry.set->fingerprint(), entry.repeat);
  }
  if (ranks < 1 || rank < 0 || rank >= ranks || total < ranks)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("rank {} of {} requires 0 <= rank < ranks and a sample for each rank, got {} samples",
                    rank, ranks, total));
  length_ = total / ranks;
  fingerprint_ +=
      fmt::format("{}, rank {} of {}", shuffled ? fmt::format("seed {}", seed) : "in order", rank, ranks);
}

std::int64_t Order::sampleAt(std::int64_t pass, std::int64_t place) {
  const std::int64_t at = place * ranks_ + rank_;
  if (!shuffled_)
    return at;
  if (pass != pass_) {
    permutation_.resize(std::size_t(ends_.back()));
    std::iota(permutation_.begin(), permutation_.end(), 0);
    Random random{seed_, 0x0DE2, std::uint64_t(pass)};
    random.shuffle(permutation_);
    pass_ = pass;
  }
  return permutation_[std::size_t(at)];
}

std::int64_t Order::firstOf(std::int64_t number) const {
  const std::size_t set = std::size_t(std::ranges::upper_bound(ends_, number) - ends_.begin());
  const std::int64_t first = set == 0 ? 0 : ends_[set - 1];
  return first + (number - first) % sets_.at(set).set->size();
}

Sample Order::load(std::int64_t number) const {
  const std::size_t set = std::size_t(std::ranges::upper_bound(ends_, number) - ends_.begin());
  const std::int64_t first = set == 0 ? 0 : ends_[set - 1];
  return sets_.at(set).set->load((number - first) % sets_[set].set->size());
}

} // namespace linmu::distill
