#include "distill/greedy_answer.h"
#include <algorithm>

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

} // namespace linmu::distill
