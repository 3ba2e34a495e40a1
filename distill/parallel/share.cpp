#include "distill/parallel/share.h"

namespace linmu::distill {

Batch shareOf(const Batch &batch, std::int64_t rank, std::int64_t ranks) {
  if (ranks == 1)
    return batch;
  const auto [first, count] = rowsOfRank(batch.ids.size(0), rank, ranks);
  Batch share;
  share.ids = batch.ids.narrow(0, first, count);
  share.labels = batch.labels.narrow(0, first, count);
  for (const torch::Tensor &patches : batch.patches)
    share.patches.push_back(patches.narrow(0, first, count));
  share.layout = batch.layout;
  share.targets = (share.labels != noLabel).sum().item<std::int64_t>();
  share.names.assign(batch.names.begin() + first, batch.names.begin() + first + count);
  return share;
}

} // namespace linmu::distill
