// What a trainer needs of a model.
#pragma once
#include "distill/data/sample.h"
#include "distill/parameters.h"
#include "models/decoder/decoder.h"
#include <cstdint>
#include <torch/torch.h>
#include <vector>

namespace linmu::distill {

/// What one layer's token mixer was given and what it made of it, [B, N, d] each. `input` is normed.
struct MixerTrace {
  torch::Tensor input, output;
};

struct ForwardOptions {
  /// Fill Forward::mixers.
  bool mixers = false;
  /// Keep the input of each layer only, and compute the layer again in backward.
  bool recompute = false;
};

struct Forward {
  torch::Tensor hidden;           ///< [B, N, d] after the last norm; logits are hidden head()^T
  std::vector<MixerTrace> mixers; ///< of every layer, where asked for
};

/// Everything is under autograd: gradients flow to the embeddings and to the parameters that require one.
class Model {
public:
  virtual ~Model() = default;

  virtual Parameters &parameters() = 0;

  /// What enters the first layer, [B, N, d]: rows of the embedding, and vision tokens at media items.
  virtual torch::Tensor embed(const Batch &batch) const = 0;

  /// Whole sequences of `layout` from their first token.
  virtual Forward forward(const torch::Tensor &embeddings, const models::SequenceLayout &layout,
                          const ForwardOptions &options = {}) const = 0;

  /// What the mixer of one layer makes of `input` [B, N, d], already normed.
  virtual torch::Tensor mix(std::int64_t layer, const torch::Tensor &input,
                            const models::SequenceLayout &layout) const = 0;

  /// [vocabulary, d]
  virtual const torch::Tensor &head() const = 0;

  /// The decoder that generates, on the same tensors; what is beside it (adapters) is not in it.
  virtual const models::Decoder &decoder() const = 0;
};

} // namespace linmu::distill
