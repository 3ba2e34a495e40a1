#include "distill/data/sample_cache.h"

namespace linmu::distill {

static std::int64_t bytesOf(const Sample &sample) {
  auto bytes = std::int64_t(sizeof(Sample) + sample.name.size() + 64 * sample.media.size() +
                            sizeof(std::int64_t) * (sample.ids.size() + sample.labels.size()));
  for (const torch::Tensor &patches : sample.patches)
    bytes += std::int64_t(patches.nbytes());
  return bytes;
}

Sample SampleCache::load(std::int64_t number) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = known_.find(number); found != known_.end())
      return found->second;
  }
  Sample sample = load_(number);
  std::lock_guard lock(mutex_);
  const std::int64_t bytes = bytesOf(sample);
  if (bytes <= left_ && known_.emplace(number, sample).second)
    left_ -= bytes;
  return sample;
}

} // namespace linmu::distill
