// A conversation as the text that a model was trained on.
#pragma once
#include <span>
#include <string>
#include <string_view>

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

  /// With `add_generation_prompt` the text ends where the assistant's answer begins. Throws
  /// Error(invalidArgument) for a role other than the three.
  std::string apply(std::span<const ChatMessage> messages, bool add_generation_prompt = true) const;

  /// Empty where the template adds none.
  const std::string &defaultSystem() const { return default_system_; }

private:
  bool has_default_system_ = false;
  std::string default_system_;
};

} // namespace linmu::models
