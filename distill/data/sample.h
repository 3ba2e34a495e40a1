// What training and evaluation read: conversations as token ids with media, and batches of them.
#pragma once
#include "models/decoder/token_mixer.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <torch/torch.h>
#include <vector>

namespace linmu::distill {

/// The label of a token that no loss is taken of.
constexpr std::int64_t noLabel = -100;

/// One conversation, tokenised.
struct Sample {
  /// Of the same length. A label is its token's id where the token belongs to an answer, else `noLabel`;
  /// labels are not shifted: the prediction of labels[i] is made at token i - 1.
  std::vector<std::int64_t> ids, labels;
  /// `first_token` counts in `ids`, where the item's t * h * w tokens are placeholders.
  std::vector<models::MediaItem> media;
  /// Of each item, [t * h * w, features] u8: pixels of a patch (models/vision), in raster order t, y, x.
  std::vector<torch::Tensor> patches;
  std::string name; ///< for messages: file:line or generator:number
};

/// Samples of one media geometry, at the same places, padded on the right.
struct Batch {
  torch::Tensor ids, labels;          ///< [B, N] int64; labels of padding are `noLabel`
  std::vector<torch::Tensor> patches; ///< of each media item, [B, t * h * w, features] u8
  models::SequenceLayout layout;      ///< of every row
  std::int64_t targets = 0;           ///< labels that are not `noLabel`
  std::vector<std::string> names;     ///< of each row

  /// What predictionsOf() makes of the labels, where somebody has.
  torch::Tensor predictions;
  /// Bytes in which ids, predictions and patches lie, where packed() has put them there.
  torch::Tensor packed;
};

/// Endless, each pass in another order that follows from seed and pass, unless it was made for evaluation:
/// then once and in order. For one thread.
class BatchSource {
public:
  virtual ~BatchSource() = default;
  /// Nothing after the last batch of an evaluation.
  virtual std::optional<Batch> next() = 0;
  /// Exact: after seek(position()), here or in another process, the same batches follow.
  virtual nlohmann::json position() const = 0;
  /// Throws Error(invalidArgument) for a position of other data or options.
  virtual void seek(const nlohmann::json &position) = 0;
};

} // namespace linmu::distill
