// A conversation about pictures and videos whose state is kept from turn to turn.
#pragma once
#include "models/vlm/vision_language_model.h"
#include <span>
#include <string>
#include <vector>

namespace linmu::models {

/// As Conversation, of a model that sees. Control tokens in messages are text.
class VisionConversation {
public:
  /// `system`: as of Conversation. Throws Error(unsupported) for a model without a chat template. `model`
  /// must outlive this.
  explicit VisionConversation(const VisionLanguageModel &model, std::string system = {});

  /// Answers what the user says, whose media are `patches`, in order, [t h w, features] each, of the grids
  /// that `parts` name. Errors as of Conversation::say, and Error(invalidArgument) for media that do not fit.
  Generation say(std::span<const VisionPart> parts, std::span<const torch::Tensor> patches,
                 const GenerateOptions &options, const TextCallback &onText = {});

  /// How many tokens the state has been through.
  std::int64_t tokens() const { return state_.tokens; }

private:
  const VisionLanguageModel &model_;
  ChatTemplate template_;
  std::string system_;
  DecoderState state_;
  std::vector<std::int64_t> pending_; ///< generated, but not in the state yet
};

} // namespace linmu::models
