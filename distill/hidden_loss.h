// The distance between what the student's mixers and the teacher's attention put out (Eq. 6), and the weights
// of its tokens.
#pragma once
#include "distill/data/sample.h"
#include <torch/torch.h>

namespace linmu::distill {

/// Of one layer: the sum over tokens of weight * mean over d of (student - teacher)^2; f64 scalar. `student`
/// and `teacher` [B, N, d], `weights` [B, N].
torch::Tensor hiddenLoss(const torch::Tensor &student, const torch::Tensor &teacher,
                         const torch::Tensor &weights);

/// 1 on every token up to the last of its row that has a label, 0 behind it, which is padding: [B, N] f32.
torch::Tensor countedTokens(const Batch &batch);

/// Weights [B, N] of tokens by how unlike its neighbours a patch is, which saves dense text in pictures
/// (https://arxiv.org/abs/2605.17093). Of a patch of `embeddings` [B, N, d] let u be 1 - the mean cosine
/// similarity to the patches beside, above and below it in its frame; its weight is
///   (1 + strength * u / mean(u of its item)) / (1 + strength),
/// so that an item weighs as much as without. 1 on text and where an item has no two neighbours that differ.
torch::Tensor patchWeights(const torch::Tensor &embeddings, const models::SequenceLayout &layout,
                           double strength);

} // namespace linmu::distill
