#include "models/decoder/attention.h"
#include "runtime/core/error.h"
#include <ATen/autocast_mode.h>
#include <algorithm>
#include <fmt/format.h>

namespace linmu::models {
namespace {

// Queries that continue a cache need an explicit mask; this many rows of it exist at a time.
constexpr std::int64_t maskRows = 512;

torch::Tensor attend(const torch::Tensor &query, const torch::Tensor &keys, const torch::Tensor &values,
                     const std::optional<torch::Tensor> &mask, bool causal) {
  return at::scaled_dot_product_attention(query, keys, values, mask, /*dropout_p=*/0.0, causal,
                                          /*scale=*/std::nullopt, /*enable_gqa=*/true);
}

/// x [B, Hkv, T, D] with each head as often as queries share it.
torch::Tensor repeatedHeads(const torch::Tensor &x, std::int64_t heads) {
  const std::int64_t batch = x.size(0), groups = x.size(1), tokens = x.size(2), width = x.size(3);
  return x.unsqueeze(2)
      .expand({batch, groups, heads / groups, tokens, width})
      .reshape({batch, heads, tokens, width});
}

/// Whether torch computes this attention in f32 on a GPU, where only heads that are repeated keep it from
/// putting the scores of all pairs into memory.
bool needsRepeatedHeads(const torch::Tensor &query, const torch::Tensor &keys) {
  return query.is_cuda() && query.size(2) > 1 && keys.size(1) != query.size(1) &&
         query.scalar_type() == torch::kFloat32 && !at::autocast::is_autocast_enabled(torch::kCUDA);
}

/// query [B, H, N, D] belongs to the last N of the T tokens in keys and values [B, Hkv, T, D].
torch::Tensor causalAttention(const torch::Tensor &query, const torch::Tensor &keys,
                              const torch::Tensor &values) {
  std::int64_t tokens = query.size(2), past = keys.size(2) - tokens;
  if (needsRepeatedHeads(query, keys))
    return causalAttention(query, repeatedHeads(keys, query.size(1)), repeatedHeads(values, query.size(1)));
  if (tokens == 1)
    return attend(query, keys, values, std::nullopt, false);
  if (past == 0)
    return attend(query, keys, values, std::nullopt, true);
  std::vector<torch::Tensor> blocks;
  for (std::int64_t begin = 0; begin < tokens; begin += maskRows) {
    std::int64_t rows = std::min(maskRows, tokens - begin), visible = past + begin + rows;
    auto mask = torch::ones({rows, visible}, query.options().dtype(torch::kBool)).tril(past + begin);
    blocks.push_back(attend(query.narrow(2, begin, rows), keys.narrow(2, 0, visible),
                            values.narrow(2, 0, visible), mask, false));
  }
  return torch::cat(blocks, 2);
}

} // namespace

void eachWeight(AttentionWeights &weights, const DecoderConfig &shape, std::int64_t layer,
                const WeightVisitor &visit) {
  const std::int64_t width = shape.hidden_size, query_rows = shape.heads * shape.head_dim,
                     value_rows = shape.key_value_heads * shape.head_dim;
  auto show = [&](const char *name, LinearWeight &weight, torch::Tensor &bias, bool biased, std::int64_t rows,
                  std::int64_t columns) {
    const std::string prefix = fmt::format("model.layers.{}.self_attn.{}.", layer, name);
    visit({prefix + "weight", weight, {rows, columns}});
    if (biased)
      visit({prefix + "bias", bias, {rows}});
  };
  show("q_proj", weights.query, weights.query_bias, shape.query_key_value_bias, query_rows, width);
  show("k_proj", weights.key, weights.key_bias, shape.query_key_value_bias, value_rows, width);
  show("v_proj", weights.value, weights.value_bias, shape.query_key_value_bias, value_rows, width);
  show("o_proj", weights.output, weights.output_bias, shape.output_bias, width, query_rows);
}

std::int64_t KeyValueCache::bytes() const {
  return keys.defined() ? static_cast<std::int64_t>(keys.nbytes() + values.nbytes()) : 0;
}

std::unique_ptr<MixerState> KeyValueCache::clone() const {
  auto copy = std::make_unique<KeyValueCache>();
  copy->keys = keys.defined() ? keys.clone() : keys;
  copy->values = values.defined() ? values.clone() : values;
  copy->tokens = tokens;
  return copy;
}

void KeyValueCache::append(const torch::Tensor &new_keys, const torch::Tensor &new_values) {
  std::int64_t added = new_keys.size(2), capacity = keys.defined() ? keys.size(2) : 0;
  if (tokens + added > capacity) {
    auto grown = [&](const torch::Tensor &old, const torch::Tensor &like) {
      auto sizes = like.sizes().vec();
      sizes[2] = std::max(tokens + added, 2 * capacity);
      auto buffer = torch::empty(sizes, like.options());
      if (tokens > 0)
        buffer.narrow(2, 0, tokens).copy_(old.narrow(2, 0, tokens));
      return buffer;
    };
    keys = grown(keys, new_keys);
    values = grown(values, new_values);
  }
  keys.narrow(2, tokens, added).copy_(new_keys);
  values.narrow(2, tokens, added).copy_(new_values);
  tokens += added;
}

std::unique_ptr<MixerState> Attention::initialState(std::int64_t) const {
  return std::make_unique<KeyValueCache>();
}

Attention::Projected Attention::project(const MixerInput &input) const {
  std::int64_t batch = input.hidden.size(0), tokens = input.hidden.size(1);
  const std::vector<torch::Tensor> products =
      LinearWeight::multiplyEach({{weights_.query, weights_.query_bias},
                                  {weights_.key, weights_.key_bias},
                                  {weights_.value, weights_.value_bias}},
                                 input.hidden);
  auto heads = [&](const torch::Tensor &product, std::int64_t count) {
    return product.view({batch, tokens, count, weights_.head_dim});
  };
  auto rotated = [&](const torch::Tensor &x) {
    return weights_.rotary->apply(x, input.positions).transpose(1, 2);
  };
  auto query = heads(products[0], weights_.heads), key = heads(products[1], weights_.key_value_heads),
       value = heads(products[2], weights_.key_value_heads);
  return {rotated(query), rotated(key), value.transpose(1, 2)};
}

torch::Tensor Attention::output(const torch::Tensor &mixed) const {
  std::int64_t batch = mixed.size(0), tokens = mixed.size(2);
  auto rows = mixed.transpose(1, 2).reshape({batch, tokens, weights_.heads * weights_.head_dim});
  return weights_.output.multiply(rows, weights_.output_bias);
}

torch::Tensor Attention::forward(const MixerInput &input, MixerState &state) {
  auto *cache = dynamic_cast<KeyValueCache *>(&state);
  if (!cache)
    throw Error(ErrorCode::invalidArgument, "attention requires the state that it created, a KeyValueCache");
  Projected now = project(input);
  cache->append(now.key, now.value);
  return output(causalAttention(now.query, cache->keys.narrow(2, 0, cache->tokens),
                                cache->values.narrow(2, 0, cache->tokens)));
}

void Attention::moveTo(torch::Device device) {
  for (LinearWeight *weight : {&weights_.query, &weights_.key, &weights_.value, &weights_.output})
    weight->moveTo(device);
  for (torch::Tensor *bias :
       {&weights_.query_bias, &weights_.key_bias, &weights_.value_bias, &weights_.output_bias})
    if (bias->defined())
      *bias = bias->to(device);
}

torch::Tensor Attention::forwardWithGradients(const MixerInput &input) const {
  Projected whole = project(input);
  return output(causalAttention(whole.query, whole.key, whole.value));
}

} // namespace linmu::models
