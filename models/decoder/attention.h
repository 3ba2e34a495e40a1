// Causal softmax attention with grouped heads and a cache of keys and values.
#pragma once
#include "models/decoder/named_weight.h"
#include "models/decoder/rotary.h"
#include "models/decoder/token_mixer.h"
#include "models/io/decoder_config.h"
#include <cstdint>
#include <memory>

namespace linmu::models {

/// The weights of one attention layer, for reuse by other mixers. Undefined
/// biases are absent.
struct AttentionWeights {
  LinearWeight query;                             ///< [H * D, d]
  LinearWeight key, value;                        ///< [Hkv * D, d]
  LinearWeight output;                            ///< [d, H * D]
  torch::Tensor query_bias, key_bias, value_bias; ///< [H * D], [Hkv * D], [Hkv * D]
  torch::Tensor output_bias;                      ///< [d]
  std::int64_t heads = 0, key_value_heads = 0, head_dim = 0;
  std::shared_ptr<const Rotary> rotary;
};

/// Shows every weight of the attention of layer `layer` in a decoder of `shape`, in one order. Biases that
/// the configuration leaves out are no weights of it.
void eachWeight(AttentionWeights &weights, const DecoderConfig &shape, std::int64_t layer,
                const WeightVisitor &visit);

/// Keys (rotated) and values of the tokens so far. The buffers grow by doubling.
struct KeyValueCache final : MixerState {
  torch::Tensor keys, values; ///< [B, Hkv, capacity, D]
  std::int64_t tokens = 0;

  std::int64_t bytes() const override;
  std::unique_ptr<MixerState> clone() const override;
  /// Adds keys and values [B, Hkv, N, D].
  void append(const torch::Tensor &new_keys, const torch::Tensor &new_values);
};

/// y = W_o softmax(q k^T / sqrt(D)) v + b_o, through torch's scaled_dot_product_attention; each key/value
/// head serves H / Hkv query heads without being repeated in memory.
class Attention final : public TokenMixer {
public:
  explicit Attention(AttentionWeights weights) : weights_(std::move(weights)) {}

  const AttentionWeights &weights() const { return weights_; }
  std::unique_ptr<MixerState> initialState(std::int64_t batch) const override;
  torch::Tensor forward(const MixerInput &input, MixerState &state) override;
  torch::Tensor forwardWithGradients(const MixerInput &input) const override;
  void moveTo(torch::Device device) override;

private:
  struct Projected {
    torch::Tensor query, key, value; ///< [B, H, N, D]; [B, Hkv, N, D] twice; rotated
  };
  Projected project(const MixerInput &input) const;
  torch::Tensor output(const torch::Tensor &mixed) const;

  AttentionWeights weights_;
};

} // namespace linmu::models
