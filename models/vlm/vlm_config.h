// The shape of a vision-language model.
#pragma once
#include "models/io/decoder_config.h"
#include "models/vision/preprocessor.h"
#include "models/vision/vision_config.h"
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace linmu::models {

/// An encoder, a projector to the decoder's width, and a decoder of the Qwen2 kind.
struct VlmConfig {
  VisionConfig vision;
  DecoderConfig text;
  bool operator==(const VlmConfig &) const = default;

  /// "small": 3.4M parameters; "demo": 1.2M. The vocabulary is left at 0. Throws Error(invalidArgument) for
  /// another name.
  static VlmConfig preset(std::string_view name);
};

/// What preset `name` reads: videos as 16 x 8 x 8 tokens ("small") or 4 x 8 x 8 ("demo"), pictures as 8 x 8.
PreprocessorConfig presetPreprocessor(std::string_view name);

/// What `architectures` in config.json of these models holds.
inline constexpr std::string_view vlmArchitecture = "LinMUVisionLanguageModel";

/// Whether a path is a folder whose config.json names that architecture. Throws as readJsonObject does where
/// there is a config.json.
bool isVisionLanguageModel(const std::filesystem::path &path);

/// Reads config.json. Throws Error(io), Error(corruptFile) or Error(unsupported) naming file, key and value.
VlmConfig readVlmConfig(const std::filesystem::path &path);
/// Of a model without a scaling of its rotary embedding; Error(unsupported) otherwise.
nlohmann::json toJson(const VlmConfig &config);

} // namespace linmu::models
