// A conversation as the text that a model was trained on.
#pragma once
#include "models/text/text_part.h"
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

struct ChatMessage {
  std::string role; ///< "system", "user" or "assistant"
  std::string content;
};

/// The ChatML family: `<|im_start|>ROLE\nCONTENT<|im_end|>\n` for each message. Some of its templates put a
/// system message of their own before a conversation that has none.
class ChatTemplate {
public:
  /// Recognises the text of a Jinja template by comparing it with the family's, whatever its default system
  /// message. Throws Error(unsupported) quoting the start of any other template.
  static ChatTemplate parse(std::string_view template_text, const std::string &origin);

  /// With `add_generation_prompt` the text ends where the assistant's answer begins. The template's own parts
  /// hold control tokens, the messages' contents do not. Throws Error(invalidArgument) for a role other than
  /// the three.
  std::vector<TextPart> parts(std::span<const ChatMessage> messages, bool add_generation_prompt = true) const;

  /// The same as one text, where nothing tells a control token of the template from one that a message
  /// quotes.
  std::string apply(std::span<const ChatMessage> messages, bool add_generation_prompt = true) const;

  /// What follows an assistant's answer, whose end it closes, when the user says `message`; it ends where the
  /// next answer begins. Parts as of `parts`.
  std::vector<TextPart> followUp(std::string_view message) const;

  /// Empty where the template adds none.
  const std::string &defaultSystem() const { return default_system_; }

private:
  bool has_default_system_ = false;
  std::string default_system_;
};

} // namespace linmu::models
