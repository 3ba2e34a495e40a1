#include "models/text/chat_template.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {
namespace {

constexpr std::string_view loopStart = "{% for message in messages %}";
constexpr std::string_view systemStart =
    "{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n";
constexpr std::string_view systemEnd = "<|im_end|>\n' }}{% endif %}";
constexpr std::string_view loopBody =
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// A line break inside a Jinja string may be written as such or as an escape.
std::string withLineBreaks(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text.substr(i).starts_with("\\n")) {
      result.push_back('\n');
      ++i;
    } else {
      result.push_back(text[i]);
    }
  while (!result.empty() && (result.back() == '\n' || result.back() == ' '))
    result.pop_back();
  return result;
}

bool consume(std::string_view &text, std::string_view expected) {
  if (!text.starts_with(expected))
    return false;
  text.remove_prefix(expected.size());
  return true;
}

} // namespace

ChatTemplate ChatTemplate::parse(std::string_view template_text, const std::string &origin) {
  std::string normalised = withLineBreaks(template_text);
  std::string_view rest = normalised;
  ChatTemplate result;
  bool known = consume(rest, loopStart);
  if (known && consume(rest, systemStart)) {
    std::size_t end = rest.find(systemEnd);
    std::string_view system = rest.substr(0, end);
    // Anything that Jinja would not take literally is not a plain system message.
    known = end != rest.npos && system.find_first_of("'\\") == system.npos;
    if (known) {
      result.has_default_system_ = true;
      result.default_system_ = system;
      rest.remove_prefix(end + systemEnd.size());
    }
  }
  if (!known || rest != loopBody)
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: the chat template is not of the ChatML family; it starts with: {}", origin,
                            template_text.substr(0, 160)),
                "give the whole text yourself with --raw --special");
  return result;
}

std::vector<TextPart> ChatTemplate::parts(std::span<const ChatMessage> messages,
                                          bool add_generation_prompt) const {
  std::vector<TextPart> parts;
  if (has_default_system_ && !messages.empty() && messages.front().role != "system")
    parts.push_back({fmt::format("<|im_start|>system\n{}<|im_end|>\n", default_system_), true});
  for (const ChatMessage &message : messages) {
    if (message.role != "system" && message.role != "user" && message.role != "assistant")
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("a message's role must be system, user or assistant, got '{}'", message.role));
    parts.push_back({fmt::format("<|im_start|>{}\n", message.role), true});
    parts.push_back({message.content, false});
    parts.push_back({"<|im_end|>\n", true});
  }
  if (add_generation_prompt)
    parts.push_back({"<|im_start|>assistant\n", true});
  return parts;
}

std::string ChatTemplate::apply(std::span<const ChatMessage> messages, bool add_generation_prompt) const {
  std::string text;
  for (const TextPart &part : parts(messages, add_generation_prompt))
    text += part.text;
  return text;
}

std::vector<TextPart> ChatTemplate::followUp(std::string_view message) const {
  return {{"<|im_end|>\n<|im_start|>user\n", true},
          {std::string(message), false},
          {"<|im_end|>\n<|im_start|>assistant\n", true}};
}

} // namespace linmu::models
