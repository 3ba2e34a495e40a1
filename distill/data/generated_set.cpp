#include "distill/data/generated_set.h"
#include "distill/data/description.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::distill {

GeneratedSet::GeneratedSet(std::string generator, std::uint64_t seed, Split split, std::int64_t count,
                           const GeneratorOptions &options, const SampleEncoder &encoder, bool described)
    : name_(std::move(generator)), generator_(generatorNamed(name_)), seed_(seed), split_(split),
      count_(count), options_(options), encoder_(encoder), described_(described) {
  if (count < 1)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: expected at least one sample, got {}", name_, count));
  static_cast<void>(load(0)); // options that do not fit are refused here
}

std::string GeneratedSet::nameOf(std::int64_t index) const {
  return fmt::format("{}-{}-{}:{}", name_, name(split_), seed_, index);
}

Sample GeneratedSet::load(std::int64_t index) const {
  Example example = generator_(seed_, split_, index, options_);
  std::vector<media::Frames> frames;
  frames.push_back(std::move(example.frames));
  std::vector<models::VisionMessage> messages =
      questionAndAnswer(example.video, example.question, example.answer);
  if (described_) {
    models::VisionPart text;
    text.text = askForDescription(example);
    messages.push_back({"user", {text}});
    text.text = describe(example);
    messages.push_back({"assistant", {text}});
  }
  return encoder_.encode(nameOf(index), std::move(messages), std::move(frames));
}

Question GeneratedSet::question(std::int64_t index) const {
  Example example = generator_(seed_, split_, index, options_);
  std::vector<media::Frames> frames;
  frames.push_back(std::move(example.frames));
  return {encoder_.encode(nameOf(index), questionAndAnswer(example.video, example.question),
                          std::move(frames), true),
          example.question, example.answer, example.kind};
}

std::string GeneratedSet::fingerprint() const {
  return fmt::format("{} {} seed {} count {} side {} frames {}{}", name_, name(split_), seed_, count_,
                     options_.side, options_.frames, described_ ? " described" : "");
}

} // namespace linmu::distill
