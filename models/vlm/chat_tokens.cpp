#include "models/vlm/chat_tokens.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {

VisionTokenIds VisionTokenIds::of(const Tokenizer &tokenizer, const std::string &origin) {
  auto id = [&](const char *token) {
    std::optional<std::int64_t> found = tokenizer.idOf(token);
    if (!found)
      throw Error(
          ErrorCode::corruptFile,
          fmt::format("{}: the tokenizer of a vision-language model requires the token {}", origin, token));
    return *found;
  };
  return {id("<|vision_start|>"), id("<|vision_end|>"), id("<|image_pad|>"), id("<|video_pad|>")};
}

ChatTokens encodeVisionChat(const Tokenizer &tokenizer, const ChatTemplate &chat,
                            const VisionTokenIds &special, std::span<const VisionMessage> messages,
                            bool add_generation_prompt, std::int64_t otherwise) {
  ChatTokens result;
  auto append = [&](const std::vector<std::int64_t> &ids, std::size_t labelled) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      result.ids.push_back(ids[i]);
      result.labels.push_back(i < labelled ? ids[i] : otherwise);
    }
  };
  // What the template puts around contents that are empty.
  std::vector<ChatMessage> frames;
  for (const VisionMessage &message : messages)
    frames.push_back({message.role, ""});
  const std::vector<TextPart> around = chat.parts(frames, add_generation_prompt);
  const std::size_t first = around.size() - 3 * messages.size() - (add_generation_prompt ? 1 : 0);
  for (std::size_t i = 0; i < first; ++i)
    append(tokenizer.encode(around[i].text, true), 0);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const bool answer = messages[i].role == "assistant";
    append(tokenizer.encode(around[first + 3 * i].text, true), 0);
    for (const VisionPart &part : messages[i].parts) {
      if (part.kind == VisionPart::Kind::text) {
        const std::vector<std::int64_t> ids = tokenizer.encode(part.text);
        append(ids, answer ? ids.size() : 0);
        continue;
      }
      append({special.start}, 0);
      result.media.push_back({std::int64_t(result.ids.size()), part.t, part.h, part.w});
      append(
          std::vector<std::int64_t>(std::size_t(part.t * part.h * part.w),
                                    part.kind == VisionPart::Kind::picture ? special.picture : special.video),
          0);
      append({special.end}, 0);
    }
    // The control token that ends the turn is the answer's; the line break after it is not.
    append(tokenizer.encode(around[first + 3 * i + 2].text, true), answer ? 1 : 0);
  }
  if (add_generation_prompt)
    append(tokenizer.encode(around.back().text, true), 0);
  return result;
}

} // namespace linmu::models
