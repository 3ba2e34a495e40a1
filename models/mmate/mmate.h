// The M-MATE block (Algorithm 1 of the paper): Flex-MA beside Local-Swin, in place of an attention layer.
#pragma once
#include "models/decoder/attention.h"
#include "models/decoder/token_mixer.h"
#include "models/mmate/mmate_config.h"
#include "models/mmate/mmate_kernels.h"
#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace linmu::models {

/// The parameters of one block; H query heads, G key/value heads, D features, d hidden size, all f32.
struct MMateWeights {
  std::int64_t heads = 0, key_value_heads = 0, head_dim = 0;
  /// Rows C [H D], B [G D], X [G D], forward dt [H], reverse dt [H], gate [H]; bias of the same rows.
  torch::Tensor flex, flex_bias;              ///< [(H + 2G) D + 3H, d]
  torch::Tensor forward_a_log, reverse_a_log; ///< [H]: A = -exp(a_log)
  std::array<std::vector<torch::Tensor>, 3>
      convolution;                             ///< of C, B, X: lags 0..3, [heads, D] each; may be empty
  torch::Tensor scan_norm;                     ///< [H, D]
  torch::Tensor flex_output, flex_output_bias; ///< [d, H D], [d] or undefined
  torch::Tensor swin, swin_bias;               ///< rows Q [H D], K [G D], V [G D]
  torch::Tensor swin_output, swin_output_bias;
  torch::Tensor lambda, lambda_bias;           ///< [1, d], [1]
  torch::Tensor output_norm, output_norm_bias; ///< [d]
  std::shared_ptr<const Rotary> rotary;        ///< of Local-Swin
};

/// The forward state [B, H, D, D], and the last three tokens of C, B and X where there is a convolution.
struct MMateState final : MixerState {
  torch::Tensor scan;
  std::array<torch::Tensor, 3> tails;

  std::int64_t bytes() const override;
  std::unique_ptr<MixerState> clone() const override;
};

/// What the blocks of a model share: kernels, and the masks and orders of the sequence at hand.
class MMateShared {
public:
  MMateShared(std::int64_t heads, std::int64_t key_value_heads, std::int64_t head_dim)
      : kernels(heads, key_value_heads, head_dim) {}

  struct Sequence {
    SequenceLayout layout;
    torch::Tensor vision;                ///< [1, N] bool
    torch::Tensor segment;               ///< [1, N] int32: the item's number; text -1
    torch::Tensor media, videos, images; ///< [M, 4] int32
    std::array<torch::Tensor, 4> orders; ///< [1, N] int32 each
  };
  /// Built once for a layout and a device, and kept while at most 32 others are used. Throws
  /// Error(invalidArgument) for items outside the sequence or that overlap.
  std::shared_ptr<const Sequence> sequence(const SequenceLayout &layout, torch::Device device);

  const MMateKernels kernels;

private:
  std::mutex mutex_;
  std::deque<std::shared_ptr<const Sequence>> recent_; ///< the one that was used last in front
};

class MMate final : public TokenMixer {
public:
  /// `layer` counts from 0: it chooses the order of the scan (mod 4) and, when odd, shifts the windows.
  MMate(MMateWeights weights, const MMateConfig &config, std::int64_t layer,
        std::shared_ptr<MMateShared> shared);

  std::unique_ptr<MixerState> initialState(std::int64_t batch) const override;

  /// y_t = LayerNorm?(lambda_t y_flex + (1 - lambda_t) y_swin), Algorithm 1. A sequence may be passed in
  /// pieces that end between media items.
  torch::Tensor forward(const MixerInput &input, MixerState &state) override;

  /// The same of a whole sequence, with gradients to `input.hidden` and to every weight that requires one.
  torch::Tensor forwardWithGradients(const MixerInput &input) const override;
  void moveTo(torch::Device device) override;
  /// y_flex of a whole sequence, media included, with gradients to `input.hidden` and to every weight of
  /// Flex-MA that requires one.
  torch::Tensor flexWithGradients(const MixerInput &input) const;

  const MMateWeights &weights() const { return weights_; }
  const MMateConfig &config() const { return config_; }
  MMateShared &shared() const { return *shared_; }

  /// From here on the block is computed of these branches.
  void setBranches(MMateConfig::Branches branches) { config_.branches = branches; }

  /// Sets the weight of the scan's RMSNorm to `channel_rms` [H, D], the root mean square of what the
  /// teacher's heads put out.
  void calibrate(const torch::Tensor &channel_rms);

private:
  /// Hidden states [B, N, d] with their rows side by side. Throws Error(invalidArgument) for another shape.
  torch::Tensor checkedHidden(const MixerInput &input) const;
  torch::Tensor mix(const MixerInput &input, MMateState &state) const;
  torch::Tensor flexBranch(const torch::Tensor &hidden, const MMateShared::Sequence &sequence,
                           MMateState &state) const;
  torch::Tensor swinBranch(const MixerInput &input, const MMateShared::Sequence &sequence) const;

  MMateWeights weights_;
  MMateConfig config_;
  std::int64_t layer_;
  std::shared_ptr<MMateShared> shared_;
};

} // namespace linmu::models
