// From a conversation and the frames of its media to a sample.
#pragma once
#include "distill/data/sample.h"
#include "models/media/frames.h"
#include "models/vlm/vision_language_model.h"
#include <span>
#include <string>
#include <vector>

namespace linmu::distill {

/// What is done to media, to see how much of an answer lies in them.
enum class MediaChange {
  none,
  shuffledFrames, ///< of videos; an order for each sample, which follows from its name
  blank           ///< grey in every pixel, so that the question is all there is
};

/// "none", "shuffled", "blank". Throws Error(invalidArgument) for another name.
MediaChange mediaChangeNamed(std::string_view name);

/// Of one model. For any number of threads at once.
class SampleEncoder {
public:
  /// Throws Error(unsupported) if the model has no chat template. `model` must outlive this.
  explicit SampleEncoder(const models::VisionLanguageModel &model, MediaChange change = MediaChange::none);

  const models::PreprocessorConfig &preprocessor() const { return model_.preprocessor; }
  /// What batches are padded with: <|endoftext|>.
  std::int64_t padding() const { return padding_; }

  /// `messages`, whose media are `frames` in the same order; their grids are filled in here. With
  /// `add_generation_prompt` it ends where an answer begins. Throws Error(invalidArgument) for frames that do
  /// not fit the preprocessor, or a message that the model's chat template does not take.
  Sample encode(std::string name, std::vector<models::VisionMessage> messages,
                std::vector<media::Frames> frames, bool add_generation_prompt = false) const;

private:
  const models::VisionLanguageModel &model_;
  models::ChatTemplate template_;
  std::int64_t padding_;
  MediaChange change_;
};

/// One question about one picture or video, and its answer; without an answer the question only.
std::vector<models::VisionMessage> questionAndAnswer(bool video, const std::string &question,
                                                     const std::string &answer = {});

} // namespace linmu::distill
