#include "distill/decoder_parameters.h"
#include "models/mmate/mmate_tensors.h"
#include <algorithm>

namespace linmu::distill {

using models::Attention;
using models::DecoderLayer;
using models::MMate;

static Part partOf(models::MMatePart part) {
  switch (part) {
  case models::MMatePart::flex:
    return Part::flex;
  case models::MMatePart::swin:
    return Part::swin;
  default:
    return Part::fusion;
  }
}

void eachParameter(models::Decoder decoder, const std::function<void(Parameter)> &visit) {
  auto add = [&](const models::NamedWeight &weight) {
    visit({weight.name(), weight.tensor(), Part::backbone});
  };
  decoder.eachWeight(add, [&](std::int64_t index, DecoderLayer &layer) {
    if (auto *attention = dynamic_cast<Attention *>(layer.mixer.get())) {
      models::AttentionWeights weights = attention->weights();
      models::eachWeight(weights, decoder.config(), index, add);
    } else if (auto *block = dynamic_cast<MMate *>(layer.mixer.get())) {
      models::MMateWeights weights = block->weights();
      models::eachTensor(weights, decoder.config(), block->config(), [&](const models::MMateTensor &entry) {
        visit({models::mmatePrefix(index) + entry.name, entry.tensor, partOf(entry.part)});
      });
    }
  });
}

bool isLinear(const models::Decoder &decoder) {
  return std::ranges::all_of(decoder.layers(), [](const DecoderLayer &layer) {
    return dynamic_cast<MMate *>(layer.mixer.get()) != nullptr;
  });
}

} // namespace linmu::distill
