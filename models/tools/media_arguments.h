// The pictures and videos that a command shows to a model.
#pragma once
#include "models/vlm/vision_language_model.h"
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace linmu::tools {

/// Media as a message holds them and as the model reads them, in the same order.
struct SeenMedia {
  std::vector<models::VisionPart> parts;
  std::vector<torch::Tensor> patches; ///< [t h w, features] each
};

struct MediaArguments {
  std::vector<std::string> images, videos;

  /// --image and --video.
  void addOptionsTo(CLI::App &command);
  bool empty() const { return images.empty() && videos.empty(); }

  /// Pictures, then videos. Throws Error naming the file that cannot be read.
  SeenMedia load(const models::VisionLanguageModel &model) const;
};

} // namespace linmu::tools
