#include "models/vision/vision_encoder.h"
#include "runtime/core/error.h"
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace linmu::models {

using torch::Tensor;

struct VisionEncoder::Grids {
  Tensor of(std::int64_t t, std::int64_t h, std::int64_t w, std::int64_t d, torch::Device device) {
    std::lock_guard lock(mutex);
    // What inference makes, autograd does not keep.
    torch::InferenceMode ordinary(false);
    constexpr std::size_t most = 64;
    if (known.size() >= most)
      known.clear();
    Tensor &grid = known[{t, h, w, device.str()}];
    if (!grid.defined())
      grid = gridPositions(t, h, w, d).to(device);
    return grid;
  }

private:
  std::mutex mutex;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::string>, Tensor> known;
};

VisionEncoder VisionEncoder::load(const VisionConfig &config, WeightReader &weights) {
  VisionEncoder encoder;
  encoder.config_ = config;
  encoder.layers_.resize(std::size_t(config.layers));
  encoder.grids_ = std::make_shared<Grids>();
  encoder.eachTensor([&](const NamedTensor &entry) { entry.tensor = weights.take(entry.name, entry.shape); });
  return encoder;
}

void VisionEncoder::eachTensor(const TensorVisitor &visit) {
  const std::int64_t d = config_.hidden_size, inner = config_.intermediate_size;
  auto both = [&](const std::string &name, Tensor &weight, Tensor &bias, std::vector<std::int64_t> shape) {
    const std::int64_t rows = shape.front();
    visit({name + ".weight", weight, std::move(shape)});
    visit({name + ".bias", bias, {rows}});
  };
  both("vision.patch_embed", patch_, patch_bias_, {d, config_.features()});
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    VisionLayer &layer = layers_[i];
    const std::string prefix = fmt::format("vision.layers.{}.", i);
    both(prefix + "attention_norm", layer.attention_norm, layer.attention_norm_bias, {d});
    both(prefix + "attention.qkv_proj", layer.qkv, layer.qkv_bias, {3 * d, d});
    both(prefix + "attention.o_proj", layer.output, layer.output_bias, {d, d});
    both(prefix + "mlp_norm", layer.mlp_norm, layer.mlp_norm_bias, {d});
    both(prefix + "mlp.up_proj", layer.up, layer.up_bias, {inner, d});
    both(prefix + "mlp.down_proj", layer.down, layer.down_bias, {d, inner});
  }
  both("vision.norm", norm_, norm_bias_, {d});
}

Tensor gridPositions(std::int64_t t, std::int64_t h, std::int64_t w, std::int64_t d) {
  const std::int64_t n = d / 6;
  Tensor frequencies =
      torch::pow(100.0, -torch::arange(n, torch::kFloat64) / double(std::max<std::int64_t>(n, 1)));
  auto along = [&](std::int64_t length) {
    Tensor angles = torch::outer(torch::arange(length, torch::kFloat64), frequencies);
    return torch::cat({angles.sin(), angles.cos()}, 1); // [length, 2 n]
  };
  auto spread = [&](const Tensor &axis, std::vector<std::int64_t> shape) {
    return axis.view(shape).expand({t, h, w, 2 * n});
  };
  Tensor all =
      torch::cat({spread(along(t), {t, 1, 1, 2 * n}), spread(along(h), {1, h, 1, 2 * n}),
                  spread(along(w), {1, 1, w, 2 * n}), torch::zeros({t, h, w, d - 6 * n}, torch::kFloat64)},
                 3);
  return all.reshape({t * h * w, d}).to(torch::kFloat32);
}

Tensor VisionEncoder::forward(const Tensor &patches, std::int64_t t, std::int64_t h, std::int64_t w) const {
  if (patches.dim() != 3 || t < 1 || h < 1 || w < 1 || patches.size(1) != t * h * w ||
      patches.size(2) != config_.features())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("patches must be [B, {} x {} x {}, {}], got {} elements and rank {}", t, h, w,
                            config_.features(), patches.numel(), patches.dim()));
  const std::int64_t batch = patches.size(0), d = config_.hidden_size, heads = config_.heads;
  auto normed = [&](const Tensor &x, const Tensor &weight, const Tensor &bias) {
    return torch::layer_norm(x, {d}, weight, bias, config_.norm_epsilon);
  };
  Tensor x = torch::linear(patches, patch_, patch_bias_) + grids_->of(t, h, w, d, patches.device());
  x = x.reshape({batch * t, h * w, d});
  for (const VisionLayer &layer : layers_) {
    Tensor qkv =
        torch::linear(normed(x, layer.attention_norm, layer.attention_norm_bias), layer.qkv, layer.qkv_bias);
    // [3, B t, heads, h w, D]
    qkv = qkv.view({batch * t, h * w, 3, heads, d / heads}).permute({2, 0, 3, 1, 4});
    Tensor mixed = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    mixed = mixed.transpose(1, 2).reshape({batch * t, h * w, d});
    x = x + torch::linear(mixed, layer.output, layer.output_bias);
    Tensor inner =
        torch::gelu(torch::linear(normed(x, layer.mlp_norm, layer.mlp_norm_bias), layer.up, layer.up_bias));
    x = x + torch::linear(inner, layer.down, layer.down_bias);
  }
  return normed(x, norm_, norm_bias_).view({batch, t * h * w, d});
}

} // namespace linmu::models
