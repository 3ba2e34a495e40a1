#include "distill/text_source.h"
#include "models/generate/generate.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include "runtime/io/input_text.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <random>
#include <sstream>

namespace linmu::distill {

TextSource::TextSource(const std::filesystem::path &file, const models::LanguageModel &model,
                       const TextSourceOptions &options)
    : options_(options) {
  read(file, model);
  std::size_t least = options.evaluation ? 1 : std::size_t(options.batch);
  if (samples_.size() < least)
    throw Error(ErrorCode::invalidArgument, fmt::format("{}: expected at least {} samples, a batch, got {}",
                                                        file.string(), least, samples_.size()));
  shuffle();
}

static Sample sampleOf(const nlohmann::json &object, const models::LanguageModel &model,
                       std::int64_t max_tokens) {
  Sample sample;
  sample.ids = models::encodePrompt(model, object.at("prompt").get<std::string>(),
                                    /*raw=*/model.chat_template_text.empty());
  sample.labels.assign(sample.ids.size(), noLabel);
  std::vector<std::int64_t> answer = model.tokenizer.encode(object.at("answer").get<std::string>());
  if (!model.stop_tokens.empty())
    answer.push_back(model.stop_tokens.front());
  sample.ids.insert(sample.ids.end(), answer.begin(), answer.end());
  sample.labels.insert(sample.labels.end(), answer.begin(), answer.end());
  if (max_tokens > 0 && std::int64_t(sample.ids.size()) > max_tokens) {
    sample.ids.resize(std::size_t(max_tokens));
    sample.labels.resize(std::size_t(max_tokens));
  }
  return sample;
}

void TextSource::read(const std::filesystem::path &file, const models::LanguageModel &model) {
  std::istringstream text(readInputText(file));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos)
      continue;
    auto refuse = [&](const std::string &why) {
      throw Error(ErrorCode::corruptFile, fmt::format("{}:{}: {}", file.string(), number, why));
    };
    nlohmann::json object = models::parseJson(line);
    auto text_at = [&](const char *key) { return object.contains(key) && object[key].is_string(); };
    if (!object.is_object() || !text_at("prompt") || !text_at("answer"))
      refuse(fmt::format("expected an object with the texts \"prompt\" and \"answer\", got {}",
                         line.substr(0, 60)));
    Sample sample = sampleOf(object, model, options_.max_tokens);
    if (sample.labels.empty() || sample.labels.back() == noLabel || sample.labels.front() != noLabel)
      refuse(fmt::format("expected a prompt and an answer of at least a token each within {} tokens",
                         options_.max_tokens > 0 ? std::to_string(options_.max_tokens) : "any number of"));
    sample.name = fmt::format("{}:{}", file.filename().string(), number);
    samples_.push_back(std::move(sample));
  }
}

/// The order of this pass, which follows from seed and pass whatever came before.
void TextSource::shuffle() {
  order_.resize(samples_.size());
  std::iota(order_.begin(), order_.end(), std::size_t(0));
  if (options_.evaluation)
    return;
  std::seed_seq seeds{options_.seed & 0xffffffff, options_.seed >> 32, pass_};
  std::mt19937_64 random(seeds);
  // Standard libraries differ in std::shuffle.
  for (std::size_t i = order_.size() - 1; i > 0; --i)
    std::swap(order_[i], order_[random() % (i + 1)]);
}

Batch TextSource::batchOf(std::size_t first, std::size_t count) const {
  std::size_t longest = 0;
  for (std::size_t i = 0; i < count; ++i)
    longest = std::max(longest, samples_[order_[first + i]].ids.size());
  Batch batch;
  std::int64_t rows = std::int64_t(count), tokens = std::int64_t(longest);
  batch.ids = torch::zeros({rows, tokens}, torch::kInt64);
  batch.labels = torch::full({rows, tokens}, noLabel, torch::kInt64);
  batch.layout = {tokens, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const Sample &sample = samples_[order_[first + i]];
    std::ranges::copy(sample.ids, batch.ids.data_ptr<std::int64_t>() + i * longest);
    std::ranges::copy(sample.labels, batch.labels.data_ptr<std::int64_t>() + i * longest);
    batch.targets += std::ranges::count_if(sample.labels, [](auto label) { return label != noLabel; });
    batch.names.push_back(sample.name);
  }
  return batch;
}

std::optional<Batch> TextSource::next() {
  std::size_t count = std::size_t(options_.batch);
  if (options_.evaluation) {
    count = std::min(count, samples_.size() - taken_);
    if (count == 0)
      return {};
  } else if (taken_ + count > samples_.size()) {
    ++pass_;
    taken_ = 0;
    shuffle();
  }
  taken_ += count;
  return batchOf(taken_ - count, count);
}

nlohmann::json TextSource::position() const {
  return {{"samples", samples_.size()}, {"seed", options_.seed}, {"pass", pass_}, {"taken", taken_}};
}

void TextSource::seek(const nlohmann::json &position) {
  auto number = [&](const char *key) -> std::uint64_t {
    if (!position.is_object() || !position.contains(key) || !position[key].is_number_unsigned())
      throw Error(
          ErrorCode::invalidArgument,
          fmt::format("a position in text data requires the number '{}', got {}", key, position.dump()));
    return position[key];
  };
  if (number("samples") != samples_.size() || number("seed") != options_.seed ||
      number("taken") > samples_.size())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the position {} is not one of these {} samples with seed {}", position.dump(),
                            samples_.size(), options_.seed));
  pass_ = number("pass");
  taken_ = number("taken");
  shuffle();
}

} // namespace linmu::distill
