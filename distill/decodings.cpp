#include "distill/decodings.h"
#include "distill/greedy_answer.h"
#include "models/io/json_integer.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <utility>

namespace linmu::distill {

using torch::Tensor;

Decodings::Decodings(const Model &teacher, std::vector<std::int64_t> stop_tokens, std::int64_t max_tokens,
                     std::filesystem::path file, bool writes)
    : teacher_(teacher), stop_tokens_(std::move(stop_tokens)), max_tokens_(max_tokens),
      file_(std::move(file)), writes_(writes) {
  readFile();
}

void Decodings::readFile() {
  std::ifstream stream(file_);
  for (std::string line; std::getline(stream, line);)
    remember(line);
}

void Decodings::remember(const std::string &line) {
  const nlohmann::json object = models::parseJson(line);
  if (object.is_discarded())
    return;
  const std::int64_t last = teacher_.decoder().config().vocab_size - 1;
  try {
    const auto name = object.at("name").get<std::string>();
    auto ids = models::integersIn(object.at("ids"), 0, last);
    if (!ids)
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: 'ids' of '{}' must be a list of integers from 0 to {}, got {}",
                              file_.string(), name, last, object.at("ids").dump().substr(0, 80)));
    answers_[name] = {object.at("prompt").get<std::string>(), std::move(*ids)};
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: expected lines of {{\"name\", \"prompt\", \"ids\"}}, "
                            "got {}",
                            file_.string(), line.substr(0, 80)));
  }
}

void Decodings::store(const std::string &lines) const {
  std::ofstream stream(file_, std::ios::app);
  // On lines of their own, whatever a killed process has left.
  if (!(stream << "\n" << lines << std::flush))
    throw Error(ErrorCode::io, fmt::format("cannot write {}", file_.string()));
}

void Decodings::exchange(Collective &ranks) {
  if (ranks.ranks() == 1)
    return;
  const std::vector<std::string> all = ranks.gather(std::exchange(fresh_, {}));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (std::int64_t(rank) == ranks.rank() || all[rank].empty())
      continue;
    std::istringstream lines(all[rank]);
    for (std::string line; std::getline(lines, line);)
      remember(line);
    if (writes_)
      store(all[rank]);
  }
}

/// FNV-1a of 64 bits.
static std::string hashOf(const std::int64_t *ids, std::int64_t count) {
  std::uint64_t hash = 14695981039346656037u;
  const auto *bytes = reinterpret_cast<const unsigned char *>(ids);
  for (std::int64_t i = 0; i < count * std::int64_t(sizeof(*ids)); ++i)
    hash = (hash ^ bytes[i]) * 1099511628211u;
  return fmt::format("{:016x}", hash);
}

static std::string promptHash(const Batch &batch, std::int64_t row, std::int64_t prompt) {
  const Tensor ids = batch.ids[row].contiguous();
  return hashOf(ids.data_ptr<std::int64_t>(), prompt);
}

/// The last answer that the data give a row, as a guess.
static std::vector<std::int64_t> answerOfData(const Batch &batch, std::int64_t row, std::int64_t prompt) {
  const Tensor labels = batch.labels[row].contiguous();
  const auto *begin = labels.data_ptr<std::int64_t>() + prompt, *end = begin + labels.numel() - prompt;
  return {begin, std::find(begin, end, noLabel)};
}

void Decodings::complete(const Batch &batch, const std::vector<std::int64_t> &prompts) {
  std::vector<AnswerDraft> drafts;
  std::vector<std::string> hashes;
  for (std::int64_t row = 0; row < std::int64_t(prompts.size()); ++row) {
    const std::int64_t prompt = prompts[std::size_t(row)];
    std::string hash = promptHash(batch, row, prompt);
    const auto found = answers_.find(batch.names[std::size_t(row)]);
    if (found != answers_.end() && found->second.prompt == hash)
      continue;
    drafts.push_back({row, prompt, answerOfData(batch, row, prompt)});
    hashes.push_back(std::move(hash));
  }
  if (drafts.empty())
    return;
  finishDrafts(teacher_, batch, drafts, stop_tokens_, max_tokens_);
  std::string lines;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const std::string &name = batch.names[std::size_t(drafts[i].row)];
    lines += nlohmann::json{{"name", name}, {"prompt", hashes[i]}, {"ids", drafts[i].ids}}.dump() + "\n";
    answers_[name] = {std::move(hashes[i]), std::move(drafts[i].ids)};
  }
  fresh_ += lines;
  if (writes_)
    store(lines);
}

Batch Decodings::of(const Batch &batch) {
  std::int64_t rows = batch.ids.size(0), longest = 0;
  std::vector<std::int64_t> prompts;
  for (std::int64_t row = 0; row < rows; ++row) {
    prompts.push_back(promptOf(batch.labels[row]));
    if (prompts.back() == 0)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("{}: expected a prompt before the answer to decode after, got none",
                              batch.names[std::size_t(row)]));
  }
  complete(batch, prompts);
  std::vector<const std::vector<std::int64_t> *> answers;
  for (std::int64_t row = 0; row < rows; ++row) {
    answers.push_back(&answers_.at(batch.names[std::size_t(row)]).ids);
    longest = std::max(longest, prompts[std::size_t(row)] + std::int64_t(answers.back()->size()));
  }
  Batch decoded;
  decoded.ids = torch::zeros({rows, longest}, torch::kInt64);
  decoded.labels = torch::full({rows, longest}, noLabel, torch::kInt64);
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto &ids = *answers[std::size_t(row)];
    std::int64_t prompt = prompts[std::size_t(row)], count = std::int64_t(ids.size());
    Tensor tokens = torch::tensor(ids, torch::kInt64);
    decoded.ids[row].narrow(0, 0, prompt).copy_(batch.ids[row].narrow(0, 0, prompt));
    decoded.ids[row].narrow(0, prompt, count).copy_(tokens);
    decoded.labels[row].narrow(0, prompt, count).copy_(tokens);
    decoded.targets += count;
  }
  decoded.patches = batch.patches;
  decoded.layout = {longest, batch.layout.media};
  decoded.names = batch.names;
  return decoded;
}

} // namespace linmu::distill
