#include "models/vlm/media_embedding.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <vector>

namespace linmu::models {

using torch::Tensor;

Tensor embedMedia(const Tensor &text, const VisionEncoder &encoder, const Projector &projector,
                  std::span<const Tensor> patches, std::span<const MediaItem> media) {
  if (patches.size() != media.size())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("patches of {} media items are required, got {}", media.size(), patches.size()));
  std::vector<Tensor> pieces;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < media.size(); ++i) {
    const MediaItem &item = media[i];
    const std::int64_t count = item.t * item.h * item.w;
    if (item.first_token < at || count < 1 || item.first_token + count > text.size(1))
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("media item {} of {} x {} x {} tokens at {} must lie after token {} of {}", i,
                              item.t, item.h, item.w, item.first_token, at, text.size(1)));
    pieces.push_back(text.narrow(1, at, item.first_token - at));
    pieces.push_back(projector.forward(encoder.forward(patches[i], item.t, item.h, item.w)));
    at = item.first_token + count;
  }
  pieces.push_back(text.narrow(1, at, text.size(1) - at));
  return torch::cat(pieces, 1);
}

} // namespace linmu::models
