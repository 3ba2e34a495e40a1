#include "distill/greedy_answer.h"
#include "distill/data/batch.h"
#include <algorithm>
#include <utility>

namespace linmu::distill {

using torch::Tensor;

std::int64_t promptOf(const Tensor &labels) {
  const Tensor row = labels.contiguous();
  const auto *label = row.data_ptr<std::int64_t>();
  std::int64_t at = row.numel();
  while (at > 0 && label[at - 1] == noLabel)
    --at;
  while (at > 0 && label[at - 1] != noLabel)
    --at;
  return at;
}

std::vector<std::int64_t> greedyAnswer(const Model &model, const models::Decoder &decoder, const Batch &batch,
                                       std::int64_t row, std::int64_t prompt,
                                       const std::vector<std::int64_t> &stop_tokens,
                                       std::int64_t max_tokens) {
  Batch one;
  one.ids = batch.ids.narrow(0, row, 1).narrow(1, 0, prompt);
  one.labels = torch::full_like(one.ids, noLabel);
  for (const Tensor &patches : batch.patches)
    one.patches.push_back(patches.narrow(0, row, 1));
  one.layout = {prompt, batch.layout.media};
  models::DecoderState state = decoder.initialState();
  torch::NoGradGuard guard;
  Tensor logits = decoder.forwardEmbeddings(model.embed(one), one.layout, state);
  std::vector<std::int64_t> ids;
  while (std::int64_t(ids.size()) < max_tokens) {
    ids.push_back(logits.argmax(-1).item<std::int64_t>());
    if (std::ranges::count(stop_tokens, ids.back()) || std::int64_t(ids.size()) == max_tokens)
      break;
    logits = decoder.forward(torch::full({1, 1}, ids.back(), torch::kInt64), state);
  }
  return ids;
}

/// The rows of `drafts`: prompts, guesses, and room for one token more; labels where something is predicted.
static Batch batchOfDrafts(const Batch &batch, const std::vector<AnswerDraft *> &drafts) {
  const auto rows = std::int64_t(drafts.size());
  std::int64_t longest = 0;
  std::vector<std::int64_t> places;
  for (const AnswerDraft *draft : drafts) {
    longest = std::max(longest, draft->prompt + std::int64_t(draft->ids.size()) + 1);
    places.push_back(draft->row);
  }
  Batch part;
  part.ids = torch::zeros({rows, longest}, torch::kInt64);
  part.labels = torch::full({rows, longest}, noLabel, torch::kInt64);
  for (std::int64_t i = 0; i < rows; ++i) {
    const AnswerDraft &draft = *drafts[std::size_t(i)];
    const auto count = std::int64_t(draft.ids.size());
    part.ids[i].narrow(0, 0, draft.prompt).copy_(batch.ids[draft.row].narrow(0, 0, draft.prompt));
    part.ids[i].narrow(0, draft.prompt, count).copy_(torch::tensor(draft.ids, torch::kInt64));
    part.labels[i].narrow(0, draft.prompt, count + 1).zero_();
  }
  for (const Tensor &patches : batch.patches)
    part.patches.push_back(patches.index_select(0, torch::tensor(places).to(patches.device())));
  part.layout = {longest, batch.layout.media};
  return part;
}

void finishDrafts(const Model &model, const Batch &batch, std::vector<AnswerDraft> &drafts,
                  const std::vector<std::int64_t> &stop_tokens, std::int64_t max_tokens) {
  torch::NoGradGuard guard;
  std::vector<AnswerDraft *> open;
  for (AnswerDraft &draft : drafts) {
    // The last token is predicted, not guessed.
    draft.ids.resize(std::min(draft.ids.size(), std::size_t(std::max<std::int64_t>(max_tokens - 1, 0))));
    if (max_tokens > 0)
      open.push_back(&draft);
  }
  while (!open.empty()) {
    const Batch part = onDevice(batchOfDrafts(batch, open), model.head().device());
    const Tensor hidden = model.forward(model.embed(part), part.layout).hidden;
    const Tensor rows = hidden.narrow(1, 0, hidden.size(1) - 1).reshape({-1, hidden.size(2)});
    const Tensor likeliest =
        torch::matmul(rows.index_select(0, part.predictions[0]), model.head().t()).argmax(1).cpu();
    const auto *next = likeliest.data_ptr<std::int64_t>();
    std::erase_if(open, [&](AnswerDraft *draft) {
      std::vector<std::int64_t> &ids = draft->ids;
      const auto *predicted = std::exchange(next, next + ids.size() + 1);
      std::size_t right = 0;
      auto ended = [&] {
        return right > 0 &&
               (std::ranges::count(stop_tokens, ids[right - 1]) || std::int64_t(right) == max_tokens);
      };
      while (right < ids.size() && ids[right] == predicted[right] && !ended())
        ++right;
      if (!ended()) {
        // What was guessed behind a wrong token is often right again.
        if (right == ids.size())
          ids.emplace_back();
        ids[right] = predicted[right];
        ++right;
      }
      const bool done = ended();
      if (done)
        ids.resize(right);
      return done;
    });
  }
}

} // namespace linmu::distill
