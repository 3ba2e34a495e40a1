// In which order the samples of several sets come.
#pragma once
#include "distill/data/sample_set.h"
#include <cstdint>
#include <memory>
#include <vector>

namespace linmu::distill {

/// A set, and how many times each of its samples comes in one pass over all sets.
struct WeightedSet {
  std::shared_ptr<const SampleSet> set;
  std::int64_t repeat = 1;
};

/// The sets one after the other, shuffled anew for each pass or not at all, of which this process takes every
/// `ranks`-th.
class Order {
public:
  /// Throws Error(invalidArgument) for no sets, a repeat below 1, or fewer samples than ranks.
  Order(std::vector<WeightedSet> sets, bool shuffled, std::uint64_t seed, std::int64_t rank,
        std::int64_t ranks);

  /// Samples of this rank in one pass; the same for each rank.
  std::int64_t length() const { return length_; }
  /// Of all sets and ranks, as often as they come.
  std::int64_t size() const { return ends_.back(); }
  /// The number, in all sets one after the other, of sample `place` of pass `pass`.
  std::int64_t sampleAt(std::int64_t pass, std::int64_t place);
  Sample load(std::int64_t number) const;
  /// The least number of the same sample, which comes again where a set repeats.
  std::int64_t firstOf(std::int64_t number) const;

  /// Of sets, weights, seed and ranks.
  const std::string &fingerprint() const { return fingerprint_; }

private:
  std::vector<WeightedSet> sets_;
  std::vector<std::int64_t> ends_; ///< of each set, in numbers
  bool shuffled_;
  std::uint64_t seed_;
  std::int64_t rank_, ranks_, length_;
  std::string fingerprint_;
  std::int64_t pass_ = -1; ///< that `permutation_` is of
  std::vector<std::int64_t> permutation_;
};

} // namespace linmu::distill
