#include "models/tools/media_arguments.h"
#include "distill/data/media_file.h"

namespace linmu::tools {

void MediaArguments::addOptionsTo(CLI::App &command) {
  auto add = [&](const char *name, std::vector<std::string> &paths, const char *description) {
    command.add_option(name, paths, description)
        ->type_size(1)
        ->expected(1, 64)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
  };
  add("--image", images, "A picture file; several come in order");
  add("--video", videos, "A video file; several come after the pictures");
}

SeenMedia MediaArguments::load(const models::VisionLanguageModel &model) const {
  SeenMedia seen;
  auto add = [&](models::VisionPart::Kind kind, const media::Frames &frames) {
    seen.parts.push_back(model.see(kind, frames, seen.patches));
  };
  for (const std::string &path : images)
    add(models::VisionPart::Kind::picture, distill::loadPicture(path, model.preprocessor));
  for (const std::string &path : videos)
    add(models::VisionPart::Kind::video, distill::loadVideo(path, model.preprocessor));
  return seen;
}

} // namespace linmu::tools
