// The tensors of M-MATE by the names that files have them under, and decoders read from such files.
#pragma once
#include "models/decoder/decoder.h"
#include "models/mmate/mmate.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace linmu::models {

enum class MMatePart { flex, swin, fusion };

struct MMateTensor {
  std::string name; ///< inside a block: "flex.weight"
  torch::Tensor &tensor;
  std::vector<std::int64_t> shape;
  MMatePart part;
};

/// Shows every tensor of a block of `config` in a decoder of `shape`, in one order. What the configuration
/// leaves out, as the convolution, is no tensor of it.
void eachTensor(MMateWeights &weights, const DecoderConfig &shape, const MMateConfig &config,
                const std::function<void(const MMateTensor &)> &visit);

/// "model.layers.N.mmate."
std::string mmatePrefix(std::int64_t layer);

/// A block for `layer` with copies of all tensors of `weights`, so that none is anybody else's.
std::shared_ptr<MMate> copiedMMate(const MMateWeights &weights, const DecoderConfig &shape,
                                   const MMateConfig &config, std::int64_t layer,
                                   std::shared_ptr<MMateShared> shared);

/// A decoder with M-MATE in every layer. Throws like Decoder::load.
Decoder loadMMateDecoder(const DecoderConfig &shape, const MMateConfig &config, WeightReader &weights);

} // namespace linmu::models
