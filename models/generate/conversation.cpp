#include "models/generate/conversation.h"

namespace linmu::models {

Conversation::Conversation(const LanguageModel &model, std::string system, bool special)
    : model_(model), template_(model.chatTemplate()), system_(std::move(system)), special_(special),
      state_(model.decoder.initialState()) {}

Generation Conversation::say(std::string_view message, const GenerateOptions &options,
                             const TextCallback &onText) {
  std::vector<TextPart> parts;
  if (state_.tokens == 0) {
    std::vector<ChatMessage> messages;
    if (!system_.empty())
      messages.push_back({"system", system_});
    messages.push_back({"user", std::string(message)});
    parts = template_.parts(messages);
  } else {
    parts = template_.followUp(message);
  }
  std::vector<std::int64_t> ids = pending_;
  std::vector<std::int64_t> said = encodeParts(model_, std::move(parts), special_);
  ids.insert(ids.end(), said.begin(), said.end());
  Generation answer = generateAfter(model_, state_, ids, options, onText);
  pending_.clear();
  if (!answer.stopped && !answer.ids.empty())
    pending_.push_back(answer.ids.back());
  return answer;
}

} // namespace linmu::models
