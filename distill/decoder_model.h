// A decoder as a trainer sees it: attention or M-MATE in its layers, adapters on its FFNs.
#pragma once
#include "distill/adapters.h"
#include "distill/model.h"
#include "models/mmate/mmate_config.h"
#include <cstdint>
#include <optional>

namespace linmu::distill {

enum class Precision {
  f32,
  bf16 ///< products of weights in bf16, everything else and the weights themselves in f32
};

class DecoderModel : public Model {
public:
  /// Trains the tensors of `decoder` themselves, all frozen at first.
  explicit DecoderModel(models::Decoder decoder, Precision precision = Precision::f32);

  /// Embeddings [B, N, d] that show what the teacher's channels are like.
  struct Calibration {
    torch::Tensor embeddings;
    models::SequenceLayout layout;
  };
  /// The decoder `teacher` with M-MATE in place of attention, by weight reuse (Eq. 4 and 5). Its mixers have
  /// tensors of their own; the rest are the teacher's. `calibration` sets the scan norms.
  static models::Decoder studentOf(const models::Decoder &teacher, const models::MMateConfig &config,
                                   std::uint64_t seed, const std::optional<Calibration> &calibration = {});

  Parameters &parameters() override { return parameters_; }
  torch::Tensor embed(const Batch &batch) const override;
  Forward forward(const torch::Tensor &embeddings, const models::SequenceLayout &layout,
                  const ForwardOptions &options) const override;
  torch::Tensor mix(std::int64_t layer, const torch::Tensor &input,
                    const models::SequenceLayout &layout) const override;
  const torch::Tensor &head() const override { return decoder_.head(); }
  const models::Decoder &decoder() const override { return decoder_; }

  /// Puts adapters of `rank` on the gate, up and down projection of every layer. Once.
  void addAdapters(std::int64_t rank, double alpha, std::uint64_t seed);
  /// Computes the M-MATE of every layer of these branches. Throws Error(invalidArgument) where a layer has
  /// attention.
  void setBranches(models::MMateConfig::Branches branches);
  /// The decoder with its adapters merged into its weights; without adapters the decoder itself.
  models::Decoder merged() const;

private:
  torch::autograd::variable_list layerForward(std::int64_t index, const torch::Tensor &x,
                                              const torch::Tensor &positions,
                                              const models::SequenceLayout &layout, bool mixer) const;

  models::Decoder decoder_;
  Precision precision_;
  Parameters parameters_;
  std::vector<FfnAdapters> adapters_; ///< one a layer, or none
};

} // namespace linmu::distill
