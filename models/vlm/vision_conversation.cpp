#include "models/vlm/vision_conversation.h"

namespace linmu::models {

VisionConversation::VisionConversation(const VisionLanguageModel &model, std::string system)
    : model_(model), template_(model.language.chatTemplate()), system_(std::move(system)),
      state_(model.language.decoder.initialState()) {}

Generation VisionConversation::say(std::span<const VisionPart> parts, std::span<const torch::Tensor> patches,
                                   const GenerateOptions &options, const TextCallback &onText) {
  const Tokenizer &tokenizer = model_.language.tokenizer;
  ChatTokens said;
  if (state_.tokens == 0) {
    std::vector<VisionMessage> messages;
    if (!system_.empty())
      messages.push_back({"system", {{.text = system_}}});
    messages.push_back({"user", {parts.begin(), parts.end()}});
    said = encodeVisionChat(tokenizer, template_, model_.special, messages, /*add_generation_prompt=*/true);
  } else {
    said = encodeVisionFollowUp(tokenizer, template_, model_.special, parts);
  }
  said.ids.insert(said.ids.begin(), pending_.begin(), pending_.end());
  for (MediaItem &item : said.media)
    item.first_token += std::int64_t(pending_.size());
  Generation answer = model_.answerAfter(state_, said, patches, options, onText);
  pending_.clear();
  if (!answer.stopped && !answer.ids.empty())
    pending_.push_back(answer.ids.back());
  return answer;
}

} // namespace linmu::models
