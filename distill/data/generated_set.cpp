#include "distill/data/generated_set.h"
#include "distill/data/description.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::distill {

GeneratedSet::GeneratedSet(std::string generator, std::uint64_t seed, Split split, std::int64_t count,
                           const GeneratorOptions &options, const SampleEncoder &encoder, bool described,
                           const std::vector<std::string> &kinds)
    : name_(std::move(generator)), generator_(generatorNamed(name_)), seed_(seed), split_(split),
      count_(count), options_(options), encoder_(encoder), described_(described) {
  if (count < 1)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: expected at least one sample, got {}", name_, count));
  const auto known = generator_.kinds;
  for (const std::string &kind : kinds)
    if (std::ranges::find(known, kind) == known.end())
      throw Error(ErrorCode::invalidArgument, fmt::format("{} has no questions of kind '{}'; there are: {}",
                                                          name_, kind, fmt::join(known, ", ")));
  for (std::size_t i = 0; i < known.size(); ++i)
    if (kinds.empty() || std::ranges::find(kinds, known[i]) != kinds.end())
      kinds_.push_back(std::int64_t(i));
  static_cast<void>(load(0)); // options that do not fit are refused here
}

std::string GeneratedSet::nameOf(std::int64_t number) const {
  return fmt::format("{}-{}-{}:{}", name_, name(split_), seed_, number);
}

std::int64_t GeneratedSet::numberOf(std::int64_t index) const {
  const auto asked = std::int64_t(kinds_.size());
  return index / asked * std::int64_t(generator_.kinds.size()) + kinds_[std::size_t(index % asked)];
}

Sample GeneratedSet::load(std::int64_t index) const {
  const std::int64_t number = numberOf(index);
  Example example = generator_(seed_, split_, number, options_);
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
  return encoder_.encode(nameOf(number), std::move(messages), std::move(frames));
}

Question GeneratedSet::question(std::int64_t index) const {
  const std::int64_t number = numberOf(index);
  Example example = generator_(seed_, split_, number, options_);
  std::vector<media::Frames> frames;
  frames.push_back(std::move(example.frames));
  return {encoder_.encode(nameOf(number), questionAndAnswer(example.video, example.question),
                          std::move(frames), true),
          example.question, example.answer, example.kind};
}

std::string GeneratedSet::fingerprint() const {
  std::string asked;
  if (kinds_.size() < generator_.kinds.size())
    for (std::int64_t kind : kinds_)
      asked += fmt::format(" {}", generator_.kinds[std::size_t(kind)]);
  return fmt::format("{} {} seed {} count {} side {} frames {}{}", name_, name(split_), seed_, count_,
                     options_.side, options_.frames, described_ ? " described" : "") +
         asked;
}

} // namespace linmu::distill
