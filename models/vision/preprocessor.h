// From frames to the patches that an encoder reads, as preprocessor_config.json says.
#pragma once
#include "models/media/frames.h"
#include "models/vision/vision_config.h"
#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <torch/torch.h>

namespace linmu::models {

/// Patches of one picture or video, in raster order t, y, x.
struct Patches {
  torch::Tensor pixels; ///< [t h w, features] u8: a quarter of the memory of what valuesOf() makes of them
  std::int64_t t = 1, h = 1, w = 1;
};

struct PreprocessorConfig {
  std::int64_t patch_frames = 2, patch_side = 8;
  /// What pictures and videos are resized to; sides are multiples of `patch_side`.
  media::FrameSize picture_size{64, 64}, video_size{64, 64};
  std::int64_t video_frames = 32; ///< spread evenly over a video; a multiple of `patch_frames`
  /// A value v of 0 to 255 becomes (v / 255 - mean) / deviation, by channel.
  std::array<double, 3> mean{0.5, 0.5, 0.5}, deviation{0.5, 0.5, 0.5};
  bool operator==(const PreprocessorConfig &) const = default;

  /// Frames of any size whose sides are multiples of `patch_side`. The last frame is repeated where their
  /// number is no multiple of `patch_frames`, so a picture fills its patch. Throws Error(invalidArgument)
  /// otherwise. For any thread.
  Patches patchesOf(const media::Frames &frames) const;

  /// What the encoder reads, f32, of pixels [..., features] u8 on any device, equal on all of them; f32 stays
  /// as it is. Throws Error(invalidArgument) for another type.
  torch::Tensor valuesOf(const torch::Tensor &pixels) const;
};

/// Throws Error(io) or Error(corruptFile) naming the file, the key and the value that does not fit, also
/// where the patches are not those of `vision`.
PreprocessorConfig readPreprocessorConfig(const std::filesystem::path &path, const VisionConfig &vision);
nlohmann::json toJson(const PreprocessorConfig &config);

} // namespace linmu::models
