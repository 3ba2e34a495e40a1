// What a model answers to the question of a batch's row.
#pragma once
#include "distill/model.h"
#include <cstdint>
#include <vector>

namespace linmu::distill {

/// The first token of the last answer of a row, whose labels [N] these are; 0 where it has none.
std::int64_t promptOf(const torch::Tensor &labels);

/// The likeliest token each time behind the first `prompt` tokens of row `row`, until one of `stop_tokens`,
/// which comes last then, or `max_tokens`. `model` embeds and `decoder` decodes.
std::vector<std::int64_t> greedyAnswer(const Model &model, const models::Decoder &decoder, const Batch &batch,
                                       std::int64_t row, std::int64_t prompt,
                                       const std::vector<std::int64_t> &stop_tokens, std::int64_t max_tokens);

/// The answer to be made for a row of a batch, behind its first `prompt` tokens.
struct AnswerDraft {
  std::int64_t row = 0, prompt = 0;
  std::vector<std::int64_t> ids; ///< a guess, which may be empty; then the answer
};

/// The same for several rows at once by passes over whole sequences, as `model` with attention computes them
/// in training. A pass confirms as much of a guess as is right and corrects the token behind it, so that good
/// guesses (the answers of the data) take few passes, whatever their length
/// (https://arxiv.org/abs/2211.17192, with the data as the draft).
void finishDrafts(const Model &model, const Batch &batch, std::vector<AnswerDraft> &drafts,
                  const std::vector<std::int64_t> &stop_tokens, std::int64_t max_tokens);

} // namespace linmu::distill
