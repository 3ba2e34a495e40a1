#include "distill/answered_sample.h"
#include "distill/greedy_answer.h"
#include <algorithm>
#include <utility>

namespace linmu::distill {

namespace {

constexpr std::size_t most_bytes = 160; ///< of a text that is shown

/// On one line, of at most most_bytes, whole characters; of more, the end or the beginning.
std::string clipped(const std::string &text, bool keep_end) {
  std::string line;
  for (char each : text) {
    const bool space = each == ' ' || each == '\n' || each == '\t' || each == '\r';
    if (!space || (!line.empty() && line.back() != ' '))
      line += space ? ' ' : each;
  }
  while (line.ends_with(' '))
    line.pop_back();
  if (line.size() <= most_bytes)
    return line;
  auto inside = [&](std::size_t at) { return (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80; };
  std::size_t cut = keep_end ? line.size() - most_bytes : most_bytes;
  while (cut < line.size() && inside(cut))
    ++cut;
  return keep_end ? "... " + line.substr(cut) : line.substr(0, cut) + " ...";
}

/// What the user says last, where the template is ChatML's; otherwise all that comes before the answer.
std::string questionOf(const models::LanguageModel &language, std::vector<std::int64_t> ids) {
  const auto opens = language.tokenizer.idOf("<|im_start|>");
  std::vector<std::size_t> turns;
  for (std::size_t at = 0; opens && at < ids.size(); ++at)
    if (ids[at] == *opens)
      turns.push_back(at);
  if (turns.size() >= 2) // of which the last opens the answer
    ids = {ids.begin() + std::ptrdiff_t(turns[turns.size() - 2]), ids.begin() + std::ptrdiff_t(turns.back())};
  std::string text = language.tokenizer.decode(ids);
  // The role has a line of its own.
  if (const std::size_t line = text.find('\n'); turns.size() >= 2 && line != text.npos)
    text.erase(0, line + 1);
  return clipped(text, /*keep_end=*/true);
}

} // namespace

std::vector<AnsweredSample> answerSamples(const std::vector<Batch> &batches, std::size_t most,
                                          const models::LanguageModel &language, const Answerer *teacher,
                                          const Answerer &student, std::int64_t max_tokens) {
  std::vector<std::pair<const Batch *, std::int64_t>> rows;
  for (const Batch &batch : batches)
    for (std::int64_t row = 0; row < batch.ids.size(0); ++row)
      if (promptOf(batch.labels[row]) > 0)
        rows.emplace_back(&batch, row);
  std::vector<AnsweredSample> samples;
  const std::size_t count = std::min(most, rows.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto [batch, row] = rows[i * rows.size() / count];
    const torch::Tensor ids = batch->ids[row], labels = batch->labels[row];
    const std::int64_t prompt = promptOf(labels);
    std::vector<std::int64_t> asked, expected;
    for (std::int64_t at = 0; at < prompt; ++at)
      if (std::ranges::none_of(batch->layout.media, [&](const models::MediaItem &item) {
            return at >= item.first_token && at < item.first_token + item.t * item.h * item.w;
          }))
        asked.push_back(ids[at].item<std::int64_t>());
    for (std::int64_t at = prompt; at < ids.numel() && labels[at].item<std::int64_t>() != noLabel; ++at)
      expected.push_back(labels[at].item<std::int64_t>());
    auto text = [&](std::vector<std::int64_t> said) {
      if (!said.empty() && std::ranges::count(language.stop_tokens, said.back()) > 0)
        said.pop_back();
      return clipped(language.tokenizer.decode(said), /*keep_end=*/false);
    };
    auto answer = [&](const Answerer &who) {
      return text(
          greedyAnswer(who.model, who.decoder, *batch, row, prompt, language.stop_tokens, max_tokens));
    };
    samples.push_back({batch->names[std::size_t(row)], questionOf(language, std::move(asked)), text(expected),
                       teacher ? answer(*teacher) : "", answer(student)});
  }
  return samples;
}

} // namespace linmu::distill
