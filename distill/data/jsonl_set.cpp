#include "distill/data/jsonl_set.h"
#include "distill/data/media_file.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::distill {
namespace {

using models::VisionMessage;
using models::VisionPart;
using nlohmann::json;

[[noreturn]] void refuse(const std::string &message) { throw Error(ErrorCode::corruptFile, message); }

/// Paths of the media of one kind that messages have not used yet.
struct MediaList {
  const char *key;
  std::string_view placeholder;
  VisionPart::Kind kind;
  std::vector<std::string> paths;
  std::size_t used = 0;
};

std::vector<std::string> readPaths(const json &object, const char *key) {
  std::vector<std::string> paths;
  if (!object.contains(key) || object[key].is_null())
    return paths;
  const json &value = object[key];
  for (const json &path : value.is_array() ? value : json::array({value})) {
    if (!models::isPath(path))
      refuse(fmt::format("'{}' must be a path or a list of paths, got {}", key, value.dump()));
    paths.push_back(path);
  }
  return paths;
}

/// Without the white space around it.
std::string trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(space);
  return begin == text.npos ? std::string()
                            : std::string(text.substr(begin, text.find_last_not_of(space) - begin + 1));
}

VisionPart textPart(std::string text) {
  VisionPart part;
  part.text = std::move(text);
  return part;
}

VisionPart mediaPart(VisionPart::Kind kind) {
  VisionPart part;
  part.kind = kind;
  return part;
}

/// `text` cut at its placeholders. `paths` gets the media in the order of the parts.
void appendParts(std::string_view text, std::vector<MediaList> &lists, std::vector<VisionPart> &parts,
                 std::vector<std::pair<VisionPart::Kind, std::string>> &paths) {
  for (;;) {
    MediaList *next = nullptr;
    std::size_t at = text.npos;
    for (MediaList &list : lists)
      if (std::size_t found = text.find(list.placeholder); found < at) {
        at = found;
        next = &list;
      }
    if (std::string before = trimmed(text.substr(0, at)); !before.empty())
      parts.push_back(textPart(std::move(before)));
    if (!next)
      return;
    if (next->used == next->paths.size())
      refuse(fmt::format("the messages have a {} more than '{}' has paths, which are {}", next->placeholder,
                         next->key, next->paths.size()));
    parts.push_back(mediaPart(next->kind));
    paths.emplace_back(next->kind, next->paths[next->used++]);
    text.remove_prefix(at + next->placeholder.size());
  }
}

std::string roleOf(const json &message) {
  for (const char *key : {"from", "value"})
    if (!message.is_object() || !message.contains(key) || !message[key].is_string())
      refuse(fmt::format("a message must have the text '{}', got {}", key, message.dump()));
  const auto &from = message["from"].get_ref<const std::string &>();
  if (from == "human" || from == "user")
    return "user";
  if (from == "gpt" || from == "assistant")
    return "assistant";
  if (from == "system")
    return "system";
  refuse(fmt::format("'from' must be 'human', 'gpt' or 'system', got '{}'", from));
}

} // namespace

JsonlSet::JsonlSet(const std::filesystem::path &path, const SampleEncoder &encoder)
    : path_(path), file_(path), encoder_(encoder) {
  const std::string_view text(reinterpret_cast<const char *>(file_.bytes().data()), file_.bytes().size());
  std::int64_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (text.substr(begin, end - begin).find_first_not_of(" \t\r") != text.npos)
      lines_.push_back({begin, end, number});
    begin = end + 1;
  }
  if (lines_.empty())
    throw Error(ErrorCode::corruptFile, fmt::format("{} has no line with a conversation", path.string()));
}

std::string JsonlSet::nameOf(std::int64_t index) const {
  return fmt::format("{}:{}", path_.string(), lines_.at(std::size_t(index)).number);
}

JsonlSet::Conversation JsonlSet::parse(std::int64_t index) const {
  const Line &line = lines_.at(std::size_t(index));
  const char *text = reinterpret_cast<const char *>(file_.bytes().data());
  const json object = models::parseJson({text + line.begin, text + line.end});
  if (object.is_discarded())
    refuse("is not valid JSON");
  if (!object.is_object() || !object.contains("conversations") || !object["conversations"].is_array() ||
      object["conversations"].empty())
    refuse("must be an object with a list 'conversations' of messages");

  std::vector<MediaList> lists = {{"image", "<image>", VisionPart::Kind::picture, readPaths(object, "image")},
                                  {"video", "<video>", VisionPart::Kind::video, readPaths(object, "video")}};
  Conversation result;
  std::vector<std::pair<VisionPart::Kind, std::string>> paths;
  bool answered = false;
  for (const json &message : object["conversations"]) {
    VisionMessage &turn = result.messages.emplace_back();
    turn.role = roleOf(message);
    const auto &value = message["value"].get_ref<const std::string &>();
    if (turn.role == "user")
      appendParts(value, lists, turn.parts, paths);
    else
      turn.parts.push_back(textPart(trimmed(value)));
    answered |= turn.role == "assistant" && !turn.parts.front().text.empty();
  }
  if (!answered)
    refuse("must have a message of 'gpt' that is not empty");
  // What no placeholder stands for.
  auto first = std::ranges::find(result.messages, "user", &VisionMessage::role);
  std::size_t placed = 0;
  for (MediaList &list : lists)
    for (; list.used < list.paths.size(); ++list.used, ++placed) {
      if (first == result.messages.end())
        refuse(fmt::format("must have a message of 'human' for its '{}'", list.key));
      first->parts.insert(first->parts.begin() + std::ptrdiff_t(placed), mediaPart(list.kind));
      paths.insert(paths.begin() + std::ptrdiff_t(placed), {list.kind, list.paths[list.used]});
    }
  for (const auto &[kind, path] : paths) {
    const std::filesystem::path file = path_.parent_path() / path; // an absolute one stays
    result.frames.push_back(kind == VisionPart::Kind::picture ? loadPicture(file, encoder_.preprocessor())
                                                              : loadVideo(file, encoder_.preprocessor()));
  }
  if (object.contains("kind") && object["kind"].is_string())
    result.kind = object["kind"];
  return result;
}

/// What `make` returns; its errors begin with `name`.
template <typename Make> static auto named(const std::string &name, Make &&make) {
  try {
    return make();
  } catch (const Error &error) {
    throw Error(error.code(), fmt::format("{}: {}", name, error.what()), error.hint());
  }
}

Sample JsonlSet::load(std::int64_t index) const {
  const std::string name = nameOf(index);
  return named(name, [&] {
    Conversation conversation = parse(index);
    return encoder_.encode(name, std::move(conversation.messages), std::move(conversation.frames));
  });
}

Question JsonlSet::question(std::int64_t index) const {
  const std::string name = nameOf(index);
  return named(name, [&] {
    Conversation conversation = parse(index);
    auto reply = std::ranges::find(conversation.messages, "assistant", &VisionMessage::role);
    Question question;
    question.answer = reply->parts.front().text;
    question.kind = conversation.kind;
    std::size_t media = 0;
    for (auto message = conversation.messages.begin(); message != reply; ++message)
      for (const VisionPart &part : message->parts) {
        if (part.kind != VisionPart::Kind::text)
          ++media;
        else if (message->role == "user")
          question.text += (question.text.empty() ? "" : "\n") + part.text;
      }
    conversation.messages.erase(reply, conversation.messages.end());
    conversation.frames.resize(media);
    question.prompt =
        encoder_.encode(name, std::move(conversation.messages), std::move(conversation.frames), true);
    return question;
  });
}

std::string JsonlSet::fingerprint() const {
  return fmt::format("{} lines {} bytes {}", path_.filename().string(), lines_.size(), file_.bytes().size());
}

} // namespace linmu::distill
