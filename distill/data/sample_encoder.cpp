#include "distill/data/sample_encoder.h"
#include "distill/data/random.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::distill {

using models::VisionPart;

MediaChange mediaChangeNamed(std::string_view name) {
  if (name == "none")
    return MediaChange::none;
  if (name == "shuffled")
    return MediaChange::shuffledFrames;
  if (name == "blank")
    return MediaChange::blank;
  throw Error(ErrorCode::invalidArgument,
              fmt::format("a change of media is 'none', 'shuffled' or 'blank', got '{}'", name));
}

SampleEncoder::SampleEncoder(const models::VisionLanguageModel &model, MediaChange change)
    : model_(model), template_(model.language.chatTemplate()), change_(change) {
  std::optional<std::int64_t> end = model.language.tokenizer.idOf("<|endoftext|>");
  if (!end)
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: padding requires the token <|endoftext|>", model.language.origin));
  padding_ = *end;
}

static void shuffleFrames(media::Frames &frames, const std::string &name) {
  std::vector<std::uint64_t> order;
  Random random{0x5AFF1E};
  for (char c : name)
    random = Random{random.next(), std::uint64_t(static_cast<unsigned char>(c))};
  for (int i = 0; i < frames.count; ++i)
    order.push_back(std::uint64_t(i));
  random.shuffle(order);
  std::vector<std::uint8_t> shuffled;
  shuffled.reserve(frames.rgb.size());
  for (std::uint64_t i : order) {
    auto frame = frames.frame(int(i));
    shuffled.insert(shuffled.end(), frame.begin(), frame.end());
  }
  frames.rgb = std::move(shuffled);
}

Sample SampleEncoder::encode(std::string name, std::vector<models::VisionMessage> messages,
                             std::vector<media::Frames> frames, bool add_generation_prompt) const {
  Sample sample;
  sample.name = std::move(name);
  std::size_t next = 0;
  for (models::VisionMessage &message : messages)
    for (VisionPart &part : message.parts) {
      if (part.kind == VisionPart::Kind::text)
        continue;
      if (next == frames.size())
        throw Error(ErrorCode::invalidArgument,
                    fmt::format("the messages have more media than the {} given", frames.size()));
      media::Frames &item = frames[next++];
      if (change_ == MediaChange::shuffledFrames)
        shuffleFrames(item, sample.name);
      else if (change_ == MediaChange::blank)
        std::ranges::fill(item.rgb, std::uint8_t(128));
      part = model_.see(part.kind, item, sample.patches);
    }
  if (next != frames.size())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the messages have {} media, {} are given", next, frames.size()));
  models::ChatTokens tokens = models::encodeVisionChat(model_.language.tokenizer, template_, model_.special,
                                                       messages, add_generation_prompt, noLabel);
  sample.ids = std::move(tokens.ids);
  sample.labels = std::move(tokens.labels);
  sample.media = std::move(tokens.media);
  return sample;
}

std::vector<models::VisionMessage> questionAndAnswer(bool video, const std::string &question,
                                                     const std::string &answer) {
  VisionPart media;
  media.kind = video ? VisionPart::Kind::video : VisionPart::Kind::picture;
  VisionPart text;
  text.text = question;
  std::vector<models::VisionMessage> messages = {{"user", {media, text}}};
  if (!answer.empty()) {
    text.text = answer;
    messages.push_back({"assistant", {text}});
  }
  return messages;
}

} // namespace linmu::distill
