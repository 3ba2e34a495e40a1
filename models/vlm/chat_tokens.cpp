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

namespace {

/// Tokens one after the other, with their labels.
class ChatWriter {
public:
  ChatWriter(const Tokenizer &tokenizer, const VisionTokenIds &special, std::int64_t otherwise)
      : tokenizer_(tokenizer), special_(special), otherwise_(otherwise) {}

  /// A part of the template, of whose tokens the first `labelled` are the assistant's.
  void control(const std::string &text, std::size_t labelled = 0) {
    append(tokenizer_.encode(text, true), labelled);
  }

  void content(const VisionPart &part, bool answer) {
    if (part.kind == VisionPart::Kind::text) {
      const std::vector<std::int64_t> ids = tokenizer_.encode(part.text);
      append(ids, answer ? ids.size() : 0);
      return;
    }
    append({special_.start}, 0);
    result_.media.push_back({std::int64_t(result_.ids.size()), part.t, part.h, part.w});
    append(
        std::vector<std::int64_t>(std::size_t(part.t * part.h * part.w),
                                  part.kind == VisionPart::Kind::picture ? special_.picture : special_.video),
        0);
    append({special_.end}, 0);
  }

  ChatTokens finish() { return std::move(result_); }

private:
  void append(const std::vector<std::int64_t> &ids, std::size_t labelled) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      result_.ids.push_back(ids[i]);
      result_.labels.push_back(i < labelled ? ids[i] : otherwise_);
    }
  }

  const Tokenizer &tokenizer_;
  const VisionTokenIds &special_;
  std::int64_t otherwise_;
  ChatTokens result_;
};

} // namespace

ChatTokens encodeVisionChat(const Tokenizer &tokenizer, const ChatTemplate &chat,
                            const VisionTokenIds &special, std::span<const VisionMessage> messages,
                            bool add_generation_prompt, std::int64_t otherwise) {
  ChatWriter writer(tokenizer, special, otherwise);
  // What the template puts around contents that are empty.
  std::vector<ChatMessage> frames;
  for (const VisionMessage &message : messages)
    frames.push_back({message.role, ""});
  const std::vector<TextPart> around = chat.parts(frames, add_generation_prompt);
  const std::size_t first = around.size() - 3 * messages.size() - (add_generation_prompt ? 1 : 0);
  for (std::size_t i = 0; i < first; ++i)
    writer.control(around[i].text);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const bool answer = messages[i].role == "assistant";
    writer.control(around[first + 3 * i].text);
    for (const VisionPart &part : messages[i].parts)
      writer.content(part, answer);
    // The control token that ends the turn is the answer's; the line break after it is not.
    writer.control(around[first + 3 * i + 2].text, answer ? 1 : 0);
  }
  if (add_generation_prompt)
    writer.control(around.back().text);
  return writer.finish();
}

ChatTokens encodeVisionFollowUp(const Tokenizer &tokenizer, const ChatTemplate &chat,
                                const VisionTokenIds &special, std::span<const VisionPart> parts,
                                std::int64_t otherwise) {
  ChatWriter writer(tokenizer, special, otherwise);
  const std::vector<TextPart> around = chat.followUp("");
  writer.control(around.front().text);
  for (const VisionPart &part : parts)
    writer.content(part, false);
  writer.control(around.back().text);
  return writer.finish();
}

} // namespace linmu::models
