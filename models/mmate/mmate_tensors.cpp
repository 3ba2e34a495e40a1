#include "models/mmate/mmate_tensors.h"
#include <fmt/format.h>

namespace linmu::models {

using torch::Tensor;

void eachTensor(MMateWeights &weights, const DecoderConfig &shape, const MMateConfig &config,
                const std::function<void(const MMateTensor &)> &visit) {
  const std::int64_t width = shape.hidden_size, d = shape.head_dim;
  const std::int64_t h = shape.heads, g = shape.key_value_heads, rows = (h + 2 * g) * d;
  auto show = [&](MMatePart part, const std::string &name, Tensor &tensor, std::vector<std::int64_t> sizes) {
    visit({name, tensor, std::move(sizes), part});
  };
  auto output = [&](MMatePart part, const std::string &name, Tensor &weight, Tensor &bias) {
    show(part, name + ".weight", weight, {width, h * d});
    if (shape.output_bias)
      show(part, name + ".bias", bias, {width});
  };

  show(MMatePart::flex, "flex.weight", weights.flex, {rows + 3 * h, width});
  show(MMatePart::flex, "flex.bias", weights.flex_bias, {rows + 3 * h});
  show(MMatePart::flex, "forward_a_log", weights.forward_a_log, {h});
  show(MMatePart::flex, "reverse_a_log", weights.reverse_a_log, {h});
  if (config.short_convolution)
    for (int part = 0; part < 3; ++part) {
      weights.convolution[part].resize(4);
      for (int lag = 0; lag < 4; ++lag)
        show(MMatePart::flex, fmt::format("convolution.{}.{}", "cbx"[part], lag),
             weights.convolution[part][lag], {part == 0 ? h : g, d});
    }
  if (config.scan_norm)
    show(MMatePart::flex, "scan_norm.weight", weights.scan_norm, {h, d});
  output(MMatePart::flex, "flex_output", weights.flex_output, weights.flex_output_bias);

  show(MMatePart::swin, "swin.weight", weights.swin, {rows, width});
  show(MMatePart::swin, "swin.bias", weights.swin_bias, {rows});
  output(MMatePart::swin, "swin_output", weights.swin_output, weights.swin_output_bias);

  show(MMatePart::fusion, "lambda.weight", weights.lambda, {1, width});
  show(MMatePart::fusion, "lambda.bias", weights.lambda_bias, {1});
  if (config.output_norm) {
    show(MMatePart::fusion, "output_norm.weight", weights.output_norm, {width});
    show(MMatePart::fusion, "output_norm.bias", weights.output_norm_bias, {width});
  }
}

std::string mmatePrefix(std::int64_t layer) { return fmt::format("model.layers.{}.mmate.", layer); }

std::shared_ptr<MMate> copiedMMate(const MMateWeights &weights, const DecoderConfig &shape,
                                   const MMateConfig &config, std::int64_t layer,
                                   std::shared_ptr<MMateShared> shared) {
  torch::NoGradGuard guard;
  MMateWeights copy = weights;
  eachTensor(copy, shape, config, [](const MMateTensor &entry) { entry.tensor = entry.tensor.clone(); });
  return std::make_shared<MMate>(std::move(copy), config, layer, std::move(shared));
}

Decoder loadMMateDecoder(const DecoderConfig &shape, const MMateConfig &config, WeightReader &weights) {
  auto shared = std::make_shared<MMateShared>(shape.heads, shape.key_value_heads, shape.head_dim);
  auto rotary = std::make_shared<const Rotary>(shape.head_dim, shape.rope_theta, shape.rope_scaling);
  return Decoder::load(shape, weights, [&](std::int64_t layer, WeightReader &reader) {
    MMateWeights block;
    block.heads = shape.heads;
    block.key_value_heads = shape.key_value_heads;
    block.head_dim = shape.head_dim;
    block.rotary = rotary;
    eachTensor(block, shape, config, [&](const MMateTensor &entry) {
      entry.tensor = reader.take(mmatePrefix(layer) + entry.name, entry.shape);
    });
    return std::make_shared<MMate>(std::move(block), config, layer, shared);
  });
}

} // namespace linmu::models
