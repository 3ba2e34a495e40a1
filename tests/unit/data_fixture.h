// A tiny vision-language model in a folder of its own, for tests of data.
#pragma once
#include "distill/data/vocabulary.h"
#include "models/vlm/model_folder.h"
#include "tests/unit/temporary_folder.h"
#include <filesystem>

namespace linmu::test {

/// Patches of 2 x 8 x 8; pictures of 32 x 32 pixels, videos of 16 frames of 32 x 32: 8 x 4 x 4 tokens.
inline models::VlmConfig tinyVlm() {
  models::VlmConfig config = models::VlmConfig::preset("demo");
  config.vision.patch_frames = 2;
  config.vision.hidden_size = 24;
  config.vision.intermediate_size = 32;
  config.vision.layers = 2;
  config.vision.heads = 2;
  config.text.hidden_size = 32;
  config.text.intermediate_size = 48;
  config.text.layers = 2;
  config.text.heads = 4;
  config.text.key_value_heads = 2;
  config.text.head_dim = 8;
  return config;
}

inline models::PreprocessorConfig tinyPreprocessor() {
  models::PreprocessorConfig config;
  config.picture_size = config.video_size = {32, 32};
  config.video_frames = 16;
  return config;
}

inline void writeTinyVlm(const std::filesystem::path &folder, std::uint64_t seed = 3,
                         StoredType type = StoredType::f32) {
  models::writeNewModel(folder, tinyVlm(), tinyPreprocessor(), distill::wordTokenizerJson(), seed, type);
}

} // namespace linmu::test
