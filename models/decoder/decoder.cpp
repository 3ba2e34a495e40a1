#include "models/decoder/decoder.h"
#include "models/decoder/few_rows.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {

// ---- loading ----

static std::shared_ptr<TokenMixer> loadAttention(const DecoderConfig &config, std::int64_t layer,
                                                 const std::shared_ptr<const Rotary> &rotary,
                                                 WeightReader &weights) {
  AttentionWeights attention;
  attention.heads = config.heads;
  attention.key_value_heads = config.key_value_heads;
  attention.head_dim = config.head_dim;
  attention.rotary = rotary;
  eachWeight(attention, config, layer, [&](const NamedWeight &weight) { weight.take(weights); });
  return std::make_shared<Attention>(std::move(attention));
}

Decoder Decoder::load(const DecoderConfig &config, WeightReader &weights) {
  auto rotary = std::make_shared<const Rotary>(config.head_dim, config.rope_theta, config.rope_scaling);
  return load(config, weights, [&](std::int64_t layer, WeightReader &reader) {
    return loadAttention(config, layer, rotary, reader);
  });
}

Decoder Decoder::load(const DecoderConfig &config, WeightReader &weights, const MixerLoader &mixers) {
  Decoder decoder;
  decoder.config_ = config;
  decoder.layers_.resize(static_cast<std::size_t>(config.layers));
  const bool head = !config.tied_embeddings || weights.has("lm_head.weight");
  decoder.eachWeight(
      head, [&](const NamedWeight &weight) { weight.take(weights); },
      [&](std::int64_t index, DecoderLayer &layer) { layer.mixer = mixers(index, weights); });
  if (!head)
    decoder.head_ = decoder.embedding_;
  else if (config.tied_embeddings && !torch::equal(decoder.head_.dense(), decoder.embedding_.dense()))
    throw Error(
        ErrorCode::corruptFile,
        "tie_word_embeddings requires lm_head.weight to equal model.embed_tokens.weight, it does not");
  weights.requireAllTaken();
  return decoder;
}

// ---- weights ----

void Decoder::eachWeight(bool head, const WeightVisitor &visit, const LayerVisitor &mixers) {
  const std::int64_t width = config_.hidden_size, inner = config_.intermediate_size;
  visit({"model.embed_tokens.weight", embedding_, {config_.vocab_size, width}});
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    DecoderLayer &layer = layers_[i];
    auto show = [&](const char *name, auto &weight, std::vector<std::int64_t> shape) {
      visit({fmt::format("model.layers.{}.{}", i, name), weight, std::move(shape)});
    };
    mixers(static_cast<std::int64_t>(i), layer);
    show("input_layernorm.weight", layer.mixer_norm, {width});
    show("post_attention_layernorm.weight", layer.mlp_norm, {width});
    show("mlp.gate_proj.weight", layer.gate, {inner, width});
    show("mlp.up_proj.weight", layer.up, {inner, width});
    show("mlp.down_proj.weight", layer.down, {width, inner});
  }
  visit({"model.norm.weight", norm_, {width}});
  if (head)
    visit({"lm_head.weight", head_, {config_.vocab_size, width}});
}

void Decoder::moveTo(torch::Device device) {
  const bool shared = tied();
  eachWeight(
      !shared, [&](const NamedWeight &weight) { weight.moveTo(device); },
      [&](std::int64_t, DecoderLayer &layer) { layer.mixer->moveTo(device); });
  if (shared)
    head_ = embedding_;
}

// ---- state ----

std::int64_t DecoderState::bytes() const {
  std::int64_t sum = 0;
  for (const auto &layer : layers)
    sum += layer->bytes();
  return sum;
}

DecoderState DecoderState::clone() const {
  DecoderState copy;
  copy.tokens = tokens;
  for (const auto &layer : layers)
    copy.layers.push_back(layer->clone());
  return copy;
}

DecoderState Decoder::initialState(std::int64_t batch) const {
  DecoderState state;
  for (const DecoderLayer &layer : layers_)
    state.layers.push_back(layer.mixer->initialState(batch));
  return state;
}

// ---- computing ----

torch::Tensor rmsNorm(const torch::Tensor &x, const torch::Tensor &weight, double epsilon) {
  if (isFewRows(x) && isFewRows(weight))
    return normedRows(x, weight, epsilon);
  return torch::rms_norm(x, weight.sizes(), weight, epsilon);
}

torch::Tensor Decoder::embed(const torch::Tensor &ids) const {
  if (ids.dim() != 2 || ids.scalar_type() != torch::kInt64)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("token ids must be an int64 tensor [B, N], got {} of rank {}",
                            c10::toString(ids.scalar_type()), ids.dim()));
  auto outside = torch::logical_or(ids < 0, ids >= config_.vocab_size);
  if (outside.any().item<bool>())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("token ids must be 0 to {}, got {}", config_.vocab_size - 1,
                            ids.masked_select(outside)[0].item<std::int64_t>()));
  return embedding_.rowsOf(ids);
}

torch::Tensor Decoder::forward(const torch::Tensor &ids, DecoderState &state, Logits logits) const {
  c10::InferenceMode inference;
  return forwardEmbeddings(embed(ids), {ids.size(1), {}}, state, logits);
}

static void checkInput(const DecoderConfig &config, const torch::Tensor &embeddings,
                       const SequenceLayout &layout) {
  auto require = [](bool holds, const std::string &message) {
    if (!holds)
      throw Error(ErrorCode::invalidArgument, message);
  };
  require(embeddings.dim() == 3 && embeddings.size(1) >= 1 && embeddings.size(2) == config.hidden_size &&
              embeddings.scalar_type() == torch::kFloat32,
          fmt::format(
              "embeddings must be a float tensor [B, N >= 1, {}], got a tensor of {} elements and rank {}",
              config.hidden_size, embeddings.numel(), embeddings.dim()));
  require(layout.tokens == embeddings.size(1),
          fmt::format("the layout has {} tokens, the embeddings have {}", layout.tokens, embeddings.size(1)));
  std::int64_t end = 0;
  for (const MediaItem &item : layout.media) {
    require(item.t >= 1 && item.h >= 1 && item.w >= 1 && item.t <= layout.tokens && item.h <= layout.tokens &&
                item.w <= layout.tokens,
            fmt::format("a media item must have a grid within the {} tokens, got {} x {} x {}", layout.tokens,
                        item.t, item.h, item.w));
    require(
        item.first_token >= end && item.t * item.h * item.w <= layout.tokens - item.first_token,
        fmt::format("the media item of {} x {} x {} tokens at {} must lie after token {} and before token {}",
                    item.t, item.h, item.w, item.first_token, end, layout.tokens));
    end = item.first_token + item.t * item.h * item.w;
  }
}

torch::Tensor Decoder::forwardEmbeddings(const torch::Tensor &embeddings, const SequenceLayout &layout,
                                         DecoderState &state, Logits logits) const {
  c10::InferenceMode inference;
  checkInput(config_, embeddings, layout);
  if (state.layers.size() != layers_.size())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the state must have {} layers, got {}", layers_.size(), state.layers.size()));
  std::int64_t tokens = embeddings.size(1);
  auto positions = torch::arange(state.tokens, state.tokens + tokens, torch::kInt64);

  torch::Tensor x = embeddings;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const DecoderLayer &layer = layers_[i];
    MixerInput input{rmsNorm(x, layer.mixer_norm, config_.rms_epsilon), positions, layout};
    x = x + layer.mixer->forward(input, *state.layers[i]);

    auto hidden = rmsNorm(x, layer.mlp_norm, config_.rms_epsilon);
    auto inner = LinearWeight::multiplyEach({{layer.gate}, {layer.up}}, hidden);
    x = x + layer.down.multiply(torch::silu(inner[0]).mul_(inner[1]));
  }
  state.tokens += tokens;
  if (logits == Logits::last)
    x = x.narrow(1, tokens - 1, 1);
  return head_.multiply(rmsNorm(x, norm_, config_.rms_epsilon));
}

} // namespace linmu::models
