// A vision-language model as a trainer sees it: a decoder whose sequences have pictures and videos.
#pragma once
#include "distill/decoder_model.h"
#include "models/vlm/vision_language_model.h"

namespace linmu::distill {

class VisionModel final : public DecoderModel {
public:
  /// `decoder` behind the encoder and projector of `vision`, whose tensors it trains themselves, all frozen
  /// at first.
  VisionModel(const models::VisionLanguageModel &vision, models::Decoder decoder,
              Precision precision = Precision::f32);

  torch::Tensor embed(const Batch &batch) const override;

private:
  models::VisionEncoder encoder_;
  models::Projector projector_;
  models::PreprocessorConfig preprocessor_;
  Precision precision_;
};

} // namespace linmu::distill
