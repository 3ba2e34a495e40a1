// Norms and rotations of a few tokens, as in decoding, in one loop each: torch takes a dozen operations for
// them, and to ask for one takes longer than to compute it.
#pragma once
#include <torch/torch.h>

namespace linmu::models {

/// Whether the loops below may take `x`: f32, contiguous, on the CPU, small and not empty, and in inference
/// mode: they round otherwise than torch, and a layer that training computes again must come out as it was.
bool isFewRows(const torch::Tensor &x);

/// x / sqrt(mean(x^2) + epsilon) * weight, over the last dimension, for few rows. `weight` [d] is few rows
/// as well.
torch::Tensor normedRows(const torch::Tensor &x, const torch::Tensor &weight, double epsilon);

/// x [B, N, H, D], few rows, rotated by the angles whose cosines and sines [N, D/2] are given (rotary.h).
torch::Tensor rotatedRows(const torch::Tensor &x, const torch::Tensor &cosines, const torch::Tensor &sines);

} // namespace linmu::models
