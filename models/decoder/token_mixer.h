// What mixes tokens in a layer of the decoder: attention, or one of its linear replacements.
#pragma once
#include <cstdint>
#include <memory>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// Tokens of one image (t = 1) or video, in raster order t, y, x.
struct MediaItem {
  std::int64_t first_token = 0; ///< counted from the first token of the call
  std::int64_t t = 1, h = 1, w = 1;
};

/// The tokens that one call passes. Positions that are in no media item are text.
struct SequenceLayout {
  std::int64_t tokens = 0;
  std::vector<MediaItem> media;
};

/// What a mixer carries from one call to the next.
struct MixerState {
  virtual ~MixerState() = default;
  /// Bytes of memory that the state holds.
  virtual std::int64_t bytes() const = 0;
  virtual std::unique_ptr<MixerState> clone() const = 0;
};

struct MixerInput {
  torch::Tensor hidden;         ///< [B, N, d], already normed
  torch::Tensor positions;      ///< [N] int64, absolute, on the CPU
  const SequenceLayout &layout; ///< of these N tokens
};

class TokenMixer {
public:
  virtual ~TokenMixer() = default;
  /// The state before the first token of `batch` sequences.
  virtual std::unique_ptr<MixerState> initialState(std::int64_t batch) const = 0;
  /// y [B, N, d]; continues from and updates `state`, so that prefill in pieces and decode are the same call.
  virtual torch::Tensor forward(const MixerInput &input, MixerState &state) = 0;
  /// y [B, N, d] of whole sequences, under autograd: gradients flow to `input.hidden` and to every weight
  /// that requires one. Throws Error(unsupported) where there are none of a part of it.
  virtual torch::Tensor forwardWithGradients(const MixerInput &input) const = 0;
  /// Its weights lie on `device` from here on. Throws Error(unsupported) for a mixer that stays where it is.
  virtual void moveTo(torch::Device device) = 0;
};

} // namespace linmu::models
