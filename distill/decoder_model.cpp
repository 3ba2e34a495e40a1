#include "distill/decoder_model.h"
#include "distill/autocast.h"
#include "distill/decoder_parameters.h"
#include "distill/recompute.h"
#include "models/mmate/convert.h"
#include "models/mmate/mmate_tensors.h"
#include "runtime/core/error.h"
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

namespace linmu::distill {

using models::Decoder;
using models::DecoderLayer;
using models::MMate;
using torch::Tensor;

// ---- parameters ----

DecoderModel::DecoderModel(Decoder decoder, Precision precision)
    : decoder_(std::move(decoder)), precision_(precision) {
  eachParameter(decoder_, [&](Parameter parameter) {
    parameters_.add(std::move(parameter.name), std::move(parameter.tensor), parameter.part);
  });
  parameters_.train({});
}

Decoder DecoderModel::studentOf(const Decoder &teacher, const models::MMateConfig &config, std::uint64_t seed,
                                const std::optional<Calibration> &calibration) {
  Decoder student = models::convertToMMate(teacher, config, seed);
  if (calibration && config.scan_norm)
    models::calibrateScanNorms(teacher, student, calibration->embeddings, calibration->layout);
  const models::DecoderConfig &shape = teacher.config();
  auto shared = std::make_shared<models::MMateShared>(shape.heads, shape.key_value_heads, shape.head_dim);
  std::int64_t index = 0;
  for (DecoderLayer &layer : student.layers()) {
    auto &block = static_cast<MMate &>(*layer.mixer);
    layer.mixer = models::copiedMMate(block.weights(), shape, config, index++, shared);
  }
  return student;
}

void DecoderModel::addAdapters(std::int64_t rank, double alpha, std::uint64_t seed) {
  if (!adapters_.empty())
    throw Error(ErrorCode::invalidArgument, "the model has adapters already");
  at::Generator generator = at::detail::createCPUGenerator(seed);
  for (std::size_t i = 0; i < decoder_.layers().size(); ++i) {
    const DecoderLayer &layer = decoder_.layers()[i];
    auto add = [&](const char *name, const Tensor &weight) {
      Adapter adapter = Adapter::of(weight, rank, alpha, generator);
      parameters_.add(fmt::format("model.layers.{}.mlp.{}.lora_a", i, name), adapter.a, Part::adapters);
      parameters_.add(fmt::format("model.layers.{}.mlp.{}.lora_b", i, name), adapter.b, Part::adapters);
      return adapter;
    };
    FfnAdapters &ffn = adapters_.emplace_back();
    ffn.gate = add("gate_proj", layer.gate.tensor());
    ffn.up = add("up_proj", layer.up.tensor());
    ffn.down = add("down_proj", layer.down.tensor());
  }
}

void DecoderModel::setBranches(models::MMateConfig::Branches branches) {
  for (DecoderLayer &layer : decoder_.layers()) {
    auto *block = dynamic_cast<MMate *>(layer.mixer.get());
    if (!block)
      throw Error(ErrorCode::invalidArgument, "branches require M-MATE in every layer, got another mixer");
    block->setBranches(branches);
  }
}

Decoder DecoderModel::merged() const {
  Decoder merged = decoder_;
  for (std::size_t i = 0; i < adapters_.size(); ++i) {
    DecoderLayer &layer = merged.layers()[i];
    layer.gate = adapters_[i].gate.merged(layer.gate.tensor());
    layer.up = adapters_[i].up.merged(layer.up.tensor());
    layer.down = adapters_[i].down.merged(layer.down.tensor());
  }
  return merged;
}

// ---- computing ----

Tensor DecoderModel::embed(const Batch &batch) const { return decoder_.embedding().rowsOf(batch.ids); }

static Tensor positionsOf(const Tensor &x) { return torch::arange(x.size(1), torch::kInt64); }

Tensor DecoderModel::mix(std::int64_t layer, const Tensor &input,
                         const models::SequenceLayout &layout) const {
  Autocast autocast(precision_ == Precision::bf16, input.device().type());
  const auto &mixer = *decoder_.layers()[std::size_t(layer)].mixer;
  return mixer.forwardWithGradients({input, positionsOf(input), layout}).to(torch::kFloat32);
}

/// x after the layer and, where asked for, input and output of its mixer.
torch::autograd::variable_list DecoderModel::layerForward(std::int64_t index, const Tensor &x,
                                                          const Tensor &positions,
                                                          const models::SequenceLayout &layout,
                                                          bool mixer) const {
  Autocast autocast(precision_ == Precision::bf16, x.device().type());
  const DecoderLayer &layer = decoder_.layers()[std::size_t(index)];
  const FfnAdapters *adapters = adapters_.empty() ? nullptr : &adapters_[std::size_t(index)];
  auto linear = [&](const Tensor &input, const Tensor &weight, Adapter FfnAdapters::*adapter) {
    return adapters ? (adapters->*adapter).apply(input, weight) : torch::linear(input, weight);
  };
  // What several products read is rounded for all of them at once.
  auto normalized = [&](const Tensor &of, const Tensor &weight) {
    const Tensor result = models::rmsNorm(of, weight, decoder_.config().rms_epsilon);
    return precision_ == Precision::bf16 ? result.to(torch::kBFloat16) : result;
  };
  Tensor input = normalized(x, layer.mixer_norm);
  Tensor output = layer.mixer->forwardWithGradients({input, positions, layout}).to(torch::kFloat32);
  Tensor after = x + output;
  Tensor hidden = normalized(after, layer.mlp_norm);
  Tensor gated = torch::silu(linear(hidden, layer.gate.tensor(), &FfnAdapters::gate)) *
                 linear(hidden, layer.up.tensor(), &FfnAdapters::up);
  after = after + linear(gated, layer.down.tensor(), &FfnAdapters::down);
  return mixer ? torch::autograd::variable_list{after, input, output} : torch::autograd::variable_list{after};
}

Forward DecoderModel::forward(const Tensor &embeddings, const models::SequenceLayout &layout,
                              const ForwardOptions &options) const {
  Forward result;
  Tensor x = embeddings, positions = positionsOf(embeddings);
  bool recomputed = options.recompute && torch::GradMode::is_enabled();
  // Otherwise no parameter would get a gradient: see recompute.h.
  if (recomputed && !x.requires_grad())
    x = x.detach().requires_grad_();
  for (std::size_t i = 0; i < decoder_.layers().size(); ++i) {
    auto layer = [this, i, positions, layout, mixer = options.mixers](const Tensor &entering) {
      return layerForward(std::int64_t(i), entering, positions, layout, mixer);
    };
    auto values = recomputed ? recompute(layer, x) : layer(x);
    x = values[0];
    if (options.mixers)
      result.mixers.push_back({values[1], values[2]});
  }
  result.hidden = models::rmsNorm(x, decoder_.norm(), decoder_.config().rms_epsilon);
  return result;
}

} // namespace linmu::distill
