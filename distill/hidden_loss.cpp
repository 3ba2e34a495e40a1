#include "distill/hidden_loss.h"

namespace linmu::distill {

using torch::Tensor;

Tensor hiddenLoss(const Tensor &student, const Tensor &teacher, const Tensor &weights) {
  return ((student - teacher).square().mean(-1) * weights).sum(torch::kFloat64);
}

Tensor countedTokens(const Batch &batch) {
  // A token counts if a label stands at it or behind it.
  Tensor labelled = (batch.labels != noLabel).to(torch::kInt64);
  return (labelled.flip(1).cumsum(1).flip(1) > 0).to(torch::kFloat32);
}

/// u of each patch, [B, t, h, w].
static Tensor dissimilarity(const Tensor &patches) {
  Tensor unit = patches / patches.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
  auto sizes = patches.sizes().slice(0, 4);
  Tensor similar = torch::zeros(sizes, patches.options()), count = torch::zeros(sizes, patches.options());
  for (int axis : {2, 3}) {
    std::int64_t extent = patches.size(axis) - 1;
    Tensor pair = (unit.narrow(axis, 0, extent) * unit.narrow(axis, 1, extent)).sum(-1);
    for (std::int64_t first : {0, 1}) {
      similar.narrow(axis, first, extent).add_(pair);
      count.narrow(axis, first, extent).add_(1);
    }
  }
  return torch::where(count > 0, 1 - similar / count.clamp_min(1), torch::zeros_like(count)).clamp_min(0);
}

Tensor patchWeights(const Tensor &embeddings, const models::SequenceLayout &layout, double strength) {
  torch::NoGradGuard guard;
  std::int64_t batch = embeddings.size(0);
  Tensor weights = torch::ones({batch, embeddings.size(1)}, embeddings.options());
  for (const models::MediaItem &item : layout.media) {
    std::int64_t tokens = item.t * item.h * item.w;
    Tensor patches =
        embeddings.narrow(1, item.first_token, tokens).reshape({batch, item.t, item.h, item.w, -1});
    Tensor unlike = dissimilarity(patches).view({batch, tokens});
    Tensor mean = unlike.mean(1, /*keepdim=*/true);
    Tensor relative = torch::where(mean > 1e-6, unlike / mean.clamp_min(1e-6), torch::ones_like(unlike));
    weights.narrow(1, item.first_token, tokens).copy_((1 + strength * relative) / (1 + strength));
  }
  return weights;
}

} // namespace linmu::distill
