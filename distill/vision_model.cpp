#include "distill/vision_model.h"
#include "distill/autocast.h"
#include "models/vlm/media_embedding.h"

namespace linmu::distill {

VisionModel::VisionModel(const models::VisionLanguageModel &vision, models::Decoder decoder,
                         Precision precision)
    : DecoderModel(std::move(decoder), precision), encoder_(vision.encoder), projector_(vision.projector),
      preprocessor_(vision.preprocessor), precision_(precision) {
  auto add = [&](const models::NamedTensor &entry) {
    parameters().add(entry.name, entry.tensor, Part::vision);
  };
  encoder_.eachTensor(add);
  projector_.eachTensor(add);
  parameters().train({});
}

torch::Tensor VisionModel::embed(const Batch &batch) const {
  torch::Tensor text = DecoderModel::embed(batch);
  std::vector<torch::Tensor> patches;
  for (const torch::Tensor &item : batch.patches)
    patches.push_back(preprocessor_.valuesOf(item.to(text.device())));
  Autocast autocast(precision_ == Precision::bf16, text.device().type());
  return models::embedMedia(text, encoder_, projector_, patches, batch.layout.media).to(torch::kFloat32);
}

} // namespace linmu::distill
