// Gradients that are summed over ranks while others are still being computed.
#pragma once
#include "distill/parallel/collective.h"
#include "distill/parameters.h"
#include <cstdint>
#include <mutex>
#include <vector>

namespace linmu::distill {

/// Parameters lie in buckets, the last ones first, as backward comes to them. A bucket leaves once all of its
/// gradients are complete: one that several backward passes add to counts as complete after as many additions
/// as the step before it had. What is added later, where a step has more of them, is summed by itself at the
/// end, so that sums are right whatever the graph was.
class GradientBuckets {
public:
  /// `bytes` at most a bucket, unless one gradient alone has more. `collective` must outlive this. Hooks of
  /// the parameters for complete gradients are this one's.
  GradientBuckets(const std::vector<Parameter> &parameters, Collective &collective,
                  std::int64_t bytes = std::int64_t(8) << 20);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets &) = delete;
  GradientBuckets &operator=(const GradientBuckets &) = delete;

  /// What backward adds from here on comes last before finish().
  void begin();
  /// Each gradient, with what had been added before begin(), is the sum over all ranks; one that no rank has
  /// stays undefined. They lie in this object's memory until the next begin().
  void finish();

  std::size_t buckets() const { return buckets_.size(); }

private:
  class Hook;
  struct Entry {
    torch::Tensor parameter;
    torch::Tensor slice; ///< of the bucket's memory, shaped as the parameter
    std::size_t bucket = 0;
    std::int64_t expected = 0; ///< additions after begin(), as far as known
    std::int64_t added = 0;
    bool left = false;    ///< with the bucket
    bool present = false; ///< it had a gradient then
  };
  struct Bucket {
    torch::Tensor memory;
    std::vector<std::size_t> entries;
  };
  void addBucket(std::vector<std::size_t> entries);
  void onAdded(std::size_t entry);
  bool complete(const Bucket &bucket) const;
  void send(Bucket &bucket);

  Collective &collective_;
  std::vector<Entry> entries_; ///< in the order of their buckets
  std::vector<Bucket> buckets_;
  std::mutex mutex_;     ///< backward's thread is another one on a GPU
  std::size_t next_ = 0; ///< bucket to leave
  bool active_ = false;
};

} // namespace linmu::distill
