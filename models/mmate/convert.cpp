#include "models/mmate/convert.h"
#include "runtime/core/error.h"
#include <ATen/CPUGeneratorImpl.h>
#include <cmath>

namespace linmu::models {

using torch::Tensor;

/// `bias`, or zeros for the rows of `weight`.
static Tensor biasOf(const Tensor &bias, const Tensor &weight) {
  return bias.defined() ? bias : torch::zeros({weight.size(0)}, weight.options());
}

MMateWeights reuseWeights(const AttentionWeights &attention, std::int64_t hidden_size, std::uint64_t seed) {
  torch::NoGradGuard guard;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::int64_t h = attention.heads, g = attention.key_value_heads, d = attention.head_dim;
  MMateWeights weights;
  weights.heads = h;
  weights.key_value_heads = g;
  weights.head_dim = d;
  weights.rotary = attention.rotary;
  const Tensor query = attention.query.dense(), key = attention.key.dense(), value = attention.value.dense();
  const torch::TensorOptions options = query.options();
  // dt = softplus(bias): the bias is the inverse softplus of a log-uniform step.
  auto dtBias = [&] {
    Tensor dt = torch::exp(torch::rand({h}, generator) * (std::log(1e-1) - std::log(1e-3)) + std::log(1e-3));
    return (dt + torch::log(-torch::expm1(-dt))).to(options.device());
  };
  auto aLog = [&] { return torch::log(torch::rand({h}, generator) * 15 + 1).to(options.device()); };
  weights.flex = torch::cat({query, key, value, torch::zeros({3 * h, hidden_size}, options)}).contiguous();
  weights.flex_bias =
      torch::cat({biasOf(attention.query_bias, query), biasOf(attention.key_bias, key),
                  biasOf(attention.value_bias, value), dtBias(), dtBias(), torch::zeros({h}, options)});
  weights.forward_a_log = aLog();
  weights.reverse_a_log = aLog();
  for (int part = 0; part < 3; ++part)
    for (int lag = 0; lag < 4; ++lag)
      weights.convolution[part].push_back(
          torch::full({part == 0 ? h : g, d}, lag == 0 ? 1.0f : 0.0f, options));
  weights.scan_norm = torch::ones({h, d}, options);
  weights.flex_output = weights.swin_output = attention.output.dense();
  weights.flex_output_bias = weights.swin_output_bias = attention.output_bias;
  weights.swin = torch::cat({query, key, value}).contiguous();
  weights.swin_bias = weights.flex_bias.narrow(0, 0, (h + 2 * g) * d).clone();
  weights.lambda = torch::zeros({1, hidden_size}, options);
  weights.lambda_bias = torch::full({1}, 2.0f, options);
  weights.output_norm = torch::ones({hidden_size}, options);
  weights.output_norm_bias = torch::zeros({hidden_size}, options);
  return weights;
}

static Attention &attentionOf(const DecoderLayer &layer) {
  auto *attention = dynamic_cast<Attention *>(layer.mixer.get());
  if (!attention)
    throw Error(ErrorCode::unsupported,
                "conversion to M-MATE: expected attention in every layer, got another mixer");
  return *attention;
}

Decoder convertToMMate(const Decoder &teacher, const MMateConfig &config, std::uint64_t seed) {
  Decoder student = teacher;
  std::shared_ptr<MMateShared> shared;
  std::int64_t index = 0;
  for (DecoderLayer &layer : student.layers()) {
    const AttentionWeights &attention = attentionOf(layer).weights();
    if (!shared)
      shared = std::make_shared<MMateShared>(attention.heads, attention.key_value_heads, attention.head_dim);
    MMateWeights weights = reuseWeights(attention, layer.mixer_norm.size(0), seed + std::uint64_t(index));
    layer.mixer = std::make_shared<MMate>(std::move(weights), config, index++, shared);
  }
  return student;
}

namespace {
/// Passes tokens through attention and keeps the root mean square of each channel that reaches W_o.
struct Recorder final : TokenMixer {
  std::shared_ptr<TokenMixer> inner;
  Tensor rms;

  std::unique_ptr<MixerState> initialState(std::int64_t batch) const override {
    return inner->initialState(batch);
  }
  Tensor forward(const MixerInput &input, MixerState &state) override {
    auto &attention = static_cast<Attention &>(*inner);
    AttentionWeights bare = attention.weights();
    std::int64_t width = bare.heads * bare.head_dim;
    bare.output = torch::eye(width, input.hidden.options());
    bare.output_bias = Tensor();
    std::unique_ptr<MixerState> before = state.clone();
    Tensor heads = Attention(bare).forward(input, *before);
    rms = heads.square().mean(at::IntArrayRef{0, 1}).sqrt().view({bare.heads, bare.head_dim});
    return inner->forward(input, state);
  }
  Tensor forwardWithGradients(const MixerInput &input) const override {
    return inner->forwardWithGradients(input);
  }
  void moveTo(torch::Device device) override { inner->moveTo(device); }
};
} // namespace

void calibrateScanNorms(const Decoder &teacher, Decoder &student, const Tensor &embeddings,
                        const SequenceLayout &layout) {
  Decoder probe = teacher;
  std::vector<std::shared_ptr<Recorder>> recorders;
  for (DecoderLayer &layer : probe.layers()) {
    attentionOf(layer);
    auto recorder = std::make_shared<Recorder>();
    recorder->inner = layer.mixer;
    layer.mixer = recorder;
    recorders.push_back(recorder);
  }
  DecoderState state = probe.initialState(embeddings.size(0));
  probe.forwardEmbeddings(embeddings, layout, state, Logits::last);
  for (std::size_t i = 0; i < recorders.size(); ++i)
    static_cast<MMate &>(*student.layers()[i].mixer).calibrate(recorders[i]->rms);
}

} // namespace linmu::models
