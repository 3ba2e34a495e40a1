// Weight reuse: a decoder with attention becomes one with M-MATE (Eq. 4 and 5 of the paper).
#pragma once
#include "models/decoder/decoder.h"
#include "models/mmate/mmate.h"
#include <cstdint>

namespace linmu::models {

/// W_C, W_B, W_X and W_O of Flex-MA, and Q, K, V and O of Local-Swin from the attention layer, biases
/// included. The rest is standard: dt bias such that dt is log-uniform in [1e-3, 1e-1], A uniform in
/// [1, 16], dt and gate weights zero, g = 0.5, lambda = sigmoid(2), identity convolution.
MMateWeights reuseWeights(const AttentionWeights &attention, std::int64_t hidden_size, std::uint64_t seed);

/// The same decoder with M-MATE in every layer. Throws Error(unsupported) if a layer's mixer is not
/// attention.
Decoder convertToMMate(const Decoder &teacher, const MMateConfig &config, std::uint64_t seed = 0);

/// Sets every scan norm of `student` to the channels' root mean squares of the teacher's attention output
/// on `embeddings` [B, N, d].
void calibrateScanNorms(const Decoder &teacher, Decoder &student, const torch::Tensor &embeddings,
                        const SequenceLayout &layout);

} // namespace linmu::models
