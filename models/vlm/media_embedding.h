// What enters a decoder where a sequence has pictures and videos.
#pragma once
#include "models/decoder/token_mixer.h"
#include "models/vision/projector.h"
#include "models/vision/vision_encoder.h"
#include <span>
#include <torch/torch.h>

namespace linmu::models {

/// `text` [B, N, d] with the vision tokens of patches[i] [B, t h w, features] in the place of media[i], under
/// autograd. Throws Error(invalidArgument) for shapes or places that do not fit.
torch::Tensor embedMedia(const torch::Tensor &text, const VisionEncoder &encoder, const Projector &projector,
                         std::span<const torch::Tensor> patches, std::span<const MediaItem> media);

} // namespace linmu::models
