// The shape of a vision transformer.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace linmu::models {

/// A pre-norm transformer on patches of `patch_frames` x `patch_side` x `patch_side` pixels, RGB.
struct VisionConfig {
  std::int64_t patch_frames = 2;
  std::int64_t patch_side = 8;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0; ///< divides `hidden_size`
  double norm_epsilon = 1e-6;
  bool operator==(const VisionConfig &) const = default;

  /// Values of a patch.
  std::int64_t features() const { return 3 * patch_frames * patch_side * patch_side; }
};

/// Reads `vision_config` of a config.json; `origin` is for messages. Throws Error(corruptFile) for a missing
/// key or a value that does not fit, Error(unsupported) for what this encoder does not compute.
VisionConfig readVisionConfig(const nlohmann::json &object, const std::string &origin);
nlohmann::json toJson(const VisionConfig &config);

} // namespace linmu::models
