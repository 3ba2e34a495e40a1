// The decoder of the Llama and Qwen2 family, with any token mixer in any layer.
#pragma once
#include "models/decoder/attention.h"
#include "models/io/decoder_config.h"
#include "models/io/weight_reader.h"
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace linmu::models {

/// One layer:  x += mixer(rmsNorm(x, mixer_norm));  x += W_d (silu(W_g h) * W_u h), h = rmsNorm(x, mlp_norm).
struct DecoderLayer {
  torch::Tensor mixer_norm, mlp_norm; ///< [d]
  std::shared_ptr<TokenMixer> mixer;
  LinearWeight gate, up; ///< [intermediate, d]
  LinearWeight down;     ///< [d, intermediate]
};

/// What one batch of sequences has been through.
struct DecoderState {
  std::int64_t tokens = 0; ///< so far; the position of the next token
  std::vector<std::unique_ptr<MixerState>> layers;

  std::int64_t bytes() const;
  DecoderState clone() const;
};

enum class Logits {
  all, ///< [B, N, vocabulary]
  last ///< [B, 1, vocabulary], of the last token
};

/// Takes the weights of a layer's mixer.
using MixerLoader = std::function<std::shared_ptr<TokenMixer>(std::int64_t layer, WeightReader &weights)>;

/// A copy shares every weight and mixer; replacing a mixer in one leaves the other as it was.
class Decoder {
public:
  /// Reads all weights, in f32 or, where `weights` has them packed, as they are, with an attention mixer in
  /// each layer, or with what `mixers` gives. Throws Error(corruptFile) naming the first tensor that is
  /// missing, has another shape, or that the model does not have.
  static Decoder load(const DecoderConfig &config, WeightReader &weights);
  static Decoder load(const DecoderConfig &config, WeightReader &weights, const MixerLoader &mixers);

  const DecoderConfig &config() const { return config_; }
  std::vector<DecoderLayer> &layers() { return layers_; }
  const std::vector<DecoderLayer> &layers() const { return layers_; }
  /// [vocabulary, d]
  const LinearWeight &embedding() const { return embedding_; }
  /// The weight of the last norm, [d].
  const torch::Tensor &norm() const { return norm_; }
  /// [vocabulary, d]; the embedding itself where the two are tied.
  const LinearWeight &head() const { return head_; }
  bool tied() const { return head_.isSame(embedding_); }

  using LayerVisitor = std::function<void(std::int64_t index, DecoderLayer &layer)>;
  /// Shows every weight outside the mixers, the head where it is not tied, and hands each layer to `mixers`
  /// before the layer's other weights, in the order in which they are loaded.
  void eachWeight(const WeightVisitor &visit, const LayerVisitor &mixers) {
    eachWeight(!tied(), visit, mixers);
  }

  /// Every weight lies on `device` from here on, where states are made and calls compute; packed ones are
  /// unpacked unless that is the CPU. Copies of the decoder share their mixers: move it before there are any.
  void moveTo(torch::Device device);

  DecoderState initialState(std::int64_t batch = 1) const;

  /// Rows of the embedding for token ids [B, N] (int64): [B, N, d]. Throws Error(invalidArgument) naming
  /// the first id outside the vocabulary.
  torch::Tensor embed(const torch::Tensor &ids) const;

  /// Continues `state` by text tokens `ids` [B, N], N >= 1.
  torch::Tensor forward(const torch::Tensor &ids, DecoderState &state, Logits logits = Logits::last) const;

  /// Continues `state` by embeddings [B, N, d], N >= 1, f32; `layout` says which of them are media. Throws
  /// Error(invalidArgument) for a shape or layout that does not fit, before the state changes.
  torch::Tensor forwardEmbeddings(const torch::Tensor &embeddings, const SequenceLayout &layout,
                                  DecoderState &state, Logits logits = Logits::last) const;

private:
  void eachWeight(bool head, const WeightVisitor &visit, const LayerVisitor &mixers);

  DecoderConfig config_;
  LinearWeight embedding_, head_;
  torch::Tensor norm_;
  std::vector<DecoderLayer> layers_;
};

/// x / sqrt(mean(x^2) + epsilon) * weight, over the last dimension.
torch::Tensor rmsNorm(const torch::Tensor &x, const torch::Tensor &weight, double epsilon);

} // namespace linmu::models
