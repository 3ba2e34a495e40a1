#include "distill/decoder_parameters.h"
#include "models/mmate/mmate_tensors.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::distill {

using models::Attention;
using models::DecoderLayer;
using models::MMate;
using torch::Tensor;

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

static void eachOfLayer(const models::Decoder &decoder, std::int64_t index,
                        const std::function<void(Parameter)> &visit) {
  const DecoderLayer &layer = decoder.layers()[std::size_t(index)];
  auto add = [&](const char *name, const Tensor &tensor) {
    if (tensor.defined())
      visit({fmt::format("model.layers.{}.{}", index, name), tensor, Part::backbone});
  };
  if (auto *attention = dynamic_cast<Attention *>(layer.mixer.get())) {
    const models::AttentionWeights &weights = attention->weights();
    add("self_attn.q_proj.weight", weights.query);
    add("self_attn.q_proj.bias", weights.query_bias);
    add("self_attn.k_proj.weight", weights.key);
    add("self_attn.k_proj.bias", weights.key_bias);
    add("self_attn.v_proj.weight", weights.value);
    add("self_attn.v_proj.bias", weights.value_bias);
    add("self_attn.o_proj.weight", weights.output);
    add("self_attn.o_proj.bias", weights.output_bias);
  } else if (auto *block = dynamic_cast<MMate *>(layer.mixer.get())) {
    models::MMateWeights weights = block->weights();
    models::eachTensor(weights, decoder.config(), block->config(), [&](const models::MMateTensor &entry) {
      visit({models::mmatePrefix(index) + entry.name, entry.tensor, partOf(entry.part)});
    });
  }
  add("input_layernorm.weight", layer.mixer_norm);
  add("post_attention_layernorm.weight", layer.mlp_norm);
  add("mlp.gate_proj.weight", layer.gate);
  add("mlp.up_proj.weight", layer.up);
  add("mlp.down_proj.weight", layer.down);
}

void eachParameter(const models::Decoder &decoder, const std::function<void(Parameter)> &visit) {
  visit({"model.embed_tokens.weight", decoder.embedding(), Part::backbone});
  for (std::size_t i = 0; i < decoder.layers().size(); ++i)
    eachOfLayer(decoder, std::int64_t(i), visit);
  visit({"model.norm.weight", decoder.norm(), Part::backbone});
  if (!decoder.head().is_same(decoder.embedding()))
    visit({"lm_head.weight", decoder.head(), Part::backbone});
}

bool isLinear(const models::Decoder &decoder) {
  return std::ranges::all_of(decoder.layers(), [](const DecoderLayer &layer) {
    return dynamic_cast<MMate *>(layer.mixer.get()) != nullptr;
  });
}

} // namespace linmu::distill
