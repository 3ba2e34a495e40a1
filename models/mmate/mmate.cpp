#include "models/mmate/mmate.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace linmu::models {

using torch::Tensor;

std::int64_t MMateState::bytes() const {
  std::int64_t total = scan.numel() * scan.element_size();
  for (const Tensor &tail : tails)
    if (tail.defined())
      total += tail.numel() * tail.element_size();
  return total;
}

std::unique_ptr<MixerState> MMateState::clone() const {
  auto copy = std::make_unique<MMateState>();
  copy->scan = scan.clone();
  for (std::size_t i = 0; i < tails.size(); ++i)
    if (tails[i].defined())
      copy->tails[i] = tails[i].clone();
  return copy;
}

//===------------------------------------------------------------------------------------------------===//
// The sequence at hand
//===------------------------------------------------------------------------------------------------===//

static bool sameLayout(const SequenceLayout &a, const SequenceLayout &b) {
  auto same = [](const MediaItem &x, const MediaItem &y) {
    return x.first_token == y.first_token && x.t == y.t && x.h == y.h && x.w == y.w;
  };
  return a.tokens == b.tokens &&
         std::equal(a.media.begin(), a.media.end(), b.media.begin(), b.media.end(), same);
}

static Tensor mediaTable(const std::vector<MediaItem> &items) {
  Tensor table = torch::empty({std::int64_t(items.size()), 4}, torch::kInt32);
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::int32_t row[] = {std::int32_t(items[i].first_token), std::int32_t(items[i].t),
                          std::int32_t(items[i].h), std::int32_t(items[i].w)};
    std::copy(row, row + 4, table.data_ptr<std::int32_t>() + 4 * i);
  }
  return table;
}

std::shared_ptr<const MMateShared::Sequence> MMateShared::sequence(const SequenceLayout &layout,
                                                                   torch::Device device) {
  std::lock_guard lock(mutex_);
  auto known = std::ranges::find_if(recent_, [&](const auto &sequence) {
    return sequence->vision.device() == device && sameLayout(sequence->layout, layout);
  });
  if (known != recent_.end()) {
    std::rotate(recent_.begin(), known, known + 1);
    return recent_.front();
  }
  // What inference makes, autograd does not keep.
  torch::InferenceMode ordinary(false);
  auto sequence = std::make_shared<Sequence>();
  sequence->layout = layout;
  sequence->vision = torch::zeros({1, layout.tokens}, torch::kBool);
  sequence->segment = torch::full({1, layout.tokens}, -1, torch::kInt32);
  std::vector<MediaItem> videos, images;
  for (std::size_t i = 0; i < layout.media.size(); ++i) {
    const MediaItem &item = layout.media[i];
    std::int64_t count = item.t * item.h * item.w, end = item.first_token + count;
    if (item.t < 1 || item.h < 1 || item.w < 1 || item.first_token < 0 || end > layout.tokens)
      throw Error(
          ErrorCode::invalidArgument,
          fmt::format(
              "media item {}: expected a grid inside the {} tokens of the call, got {}x{}x{} from token {}",
              i, layout.tokens, item.t, item.h, item.w, item.first_token));
    if (sequence->vision.narrow(1, item.first_token, count).any().item<bool>())
      throw Error(
          ErrorCode::invalidArgument,
          fmt::format("media item {}: expected tokens of its own, got some that an earlier item has", i));
    sequence->vision.narrow(1, item.first_token, count).fill_(true);
    sequence->segment.narrow(1, item.first_token, count).fill_(std::int32_t(i));
    (item.t == 1 ? images : videos).push_back(item);
  }
  sequence->media = mediaTable(layout.media);
  sequence->videos = mediaTable(videos);
  sequence->images = mediaTable(images);
  for (int order = 0; order < 4; ++order)
    sequence->orders[order] = MMateKernels::tokenOrder(order, sequence->media, layout.tokens);
  for (Tensor *tensor :
       {&sequence->vision, &sequence->segment, &sequence->media, &sequence->videos, &sequence->images,
        &sequence->orders[0], &sequence->orders[1], &sequence->orders[2], &sequence->orders[3]})
    *tensor = tensor->to(device);
  constexpr std::size_t most = 32;
  recent_.push_front(sequence);
  if (recent_.size() > most)
    recent_.pop_back();
  return sequence;
}

//===------------------------------------------------------------------------------------------------===//
// The block
//===------------------------------------------------------------------------------------------------===//

MMate::MMate(MMateWeights weights, const MMateConfig &config, std::int64_t layer,
             std::shared_ptr<MMateShared> shared)
    : weights_(std::move(weights)), config_(config), layer_(layer), shared_(std::move(shared)) {
  if (config_.short_convolution && weights_.convolution[0].size() != 4)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("M-MATE with short_convolution: expected 4 weights of the convolution, got {}",
                            weights_.convolution[0].size()));
}

std::unique_ptr<MixerState> MMate::initialState(std::int64_t batch) const {
  auto state = std::make_unique<MMateState>();
  std::int64_t d = weights_.head_dim;
  const torch::TensorOptions options = weights_.flex.options().requires_grad(false);
  state->scan = torch::zeros({batch, weights_.heads, d, d}, options);
  if (config_.short_convolution)
    for (int i = 0; i < 3; ++i)
      state->tails[i] =
          torch::zeros({batch, 3, i == 0 ? weights_.heads : weights_.key_value_heads, d}, options);
  return state;
}

void MMate::calibrate(const Tensor &channel_rms) {
  if (channel_rms.sizes() != weights_.scan_norm.sizes())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("channel_rms: expected shape [{}, {}], got {} elements", weights_.heads,
                            weights_.head_dim, channel_rms.numel()));
  weights_.scan_norm = channel_rms.to(torch::kFloat32).contiguous();
}

/// hidden times weight, [out, d], which kernels read as it is: f32, or bf16 where torch's autocast makes
/// products in it. On a GPU kernels load 16 bytes at once, so that rows there have room for a multiple of it.
static Tensor project(const Tensor &hidden, Tensor weight, Tensor bias) {
  constexpr std::int64_t vector = 16 / sizeof(at::BFloat16);
  if (const std::int64_t over = weight.size(0) % vector; over && hidden.is_cuda()) {
    weight = torch::constant_pad_nd(weight, {0, 0, 0, vector - over});
    if (bias.defined())
      bias = torch::constant_pad_nd(bias, {0, vector - over});
  }
  return torch::linear(hidden, weight, bias);
}

/// The first columns of `projected`, `sizes` of them each; backward puts their gradients together at once.
static std::vector<Tensor> parts(const Tensor &projected, std::vector<std::int64_t> sizes) {
  sizes.push_back(projected.size(2) - std::accumulate(sizes.begin(), sizes.end(), std::int64_t(0)));
  return projected.split_with_sizes(sizes, 2);
}

Tensor MMate::flexBranch(const Tensor &hidden, const MMateShared::Sequence &sequence,
                         MMateState &state) const {
  std::int64_t batch = hidden.size(0), tokens = hidden.size(1);
  std::int64_t h = weights_.heads, g = weights_.key_value_heads, d = weights_.head_dim;
  // Everything that the scans read is a view of this one product.
  const std::vector<Tensor> taken =
      parts(project(hidden, weights_.flex, weights_.flex_bias), {h * d, g * d, g * d, h, h, h});
  auto heads = [&](int part, std::int64_t count) { return taken[part].view({batch, tokens, count, d}); };
  // Time steps and gates are f32 in any case: decays are powers of them.
  auto scalars = [&](int part) { return taken[part].to(torch::kFloat32); };
  Tensor c = heads(0, h), b = heads(1, g), x = heads(2, g);
  Tensor forward_dt = scalars(3), reverse_dt = scalars(4), gate = scalars(5);
  const Tensor &order = sequence.orders[layer_ % 4];
  if (config_.short_convolution) {
    Tensor *convolved[] = {&c, &b, &x};
    for (int i = 0; i < 3; ++i)
      std::tie(*convolved[i], state.tails[i]) =
          shared_->kernels.convolution(*convolved[i], state.tails[i], weights_.convolution[i], order);
  }
  Tensor all = torch::ones_like(sequence.vision);
  MMateKernels::Masks masks;
  masks.segment = config_.reverse_scope == MMateConfig::ReverseScope::segment
                      ? sequence.segment
                      : torch::zeros_like(sequence.segment);
  masks.source = sequence.vision;
  masks.moving = config_.reverse_decays_over_text ? all : sequence.vision;
  masks.target = config_.reverse_target == MMateConfig::ReverseTarget::all ? all : sequence.vision;
  masks.gated = config_.gate_is_one_on_text ? sequence.vision : all;
  MMateKernels::FlexScale scale;
  scale.rms = config_.scan_norm;
  scale.epsilon = config_.norm_epsilon;
  scale.weight = config_.scan_norm
                     ? weights_.scan_norm
                     : torch::full({h, d}, 1 / std::sqrt(double(d)), weights_.forward_a_log.options());
  Tensor y;
  std::tie(y, state.scan) =
      shared_->kernels.flex({c, b, x, order, forward_dt, reverse_dt, weights_.forward_a_log,
                             weights_.reverse_a_log, gate, state.scan},
                            masks, scale);
  return torch::linear(y.view({batch, tokens, h * d}), weights_.flex_output, weights_.flex_output_bias);
}

Tensor MMate::swinBranch(const MixerInput &input, const MMateShared::Sequence &sequence) const {
  const Tensor &hidden = input.hidden;
  std::int64_t batch = hidden.size(0), tokens = hidden.size(1);
  std::int64_t h = weights_.heads, g = weights_.key_value_heads, d = weights_.head_dim;
  const std::vector<Tensor> taken =
      parts(project(hidden, weights_.swin, weights_.swin_bias), {h * d, g * d, g * d});
  auto heads = [&](int part, std::int64_t count) { return taken[part].view({batch, tokens, count, d}); };
  Tensor value = heads(2, g);
  // Turned in f32, then of the type that values have.
  auto turned = [&](const Tensor &x) { return weights_.rotary->apply(x, input.positions); };
  Tensor query = (turned(heads(0, h)) * (1 / std::sqrt(double(d)))).to(value.scalar_type());
  Tensor key = turned(heads(1, g)).to(value.scalar_type());
  bool shifted = layer_ % 2 == 1;
  Tensor y;
  auto attend = [&](const Tensor &media, bool video) {
    if (media.size(0) == 0)
      return;
    Tensor part = shared_->kernels.windows(query, key, value, media, video, shifted, config_);
    y = y.defined() ? y + part : part;
  };
  attend(sequence.videos, true);
  attend(sequence.images, false);
  y = torch::linear(y.view({batch, tokens, h * d}), weights_.swin_output);
  if (weights_.swin_output_bias.defined())
    y = y + weights_.swin_output_bias;
  // Pad: the branch is zero outside vision tokens.
  return torch::where(sequence.vision.unsqueeze(2), y, torch::zeros({1}, y.options()));
}

Tensor MMate::checkedHidden(const MixerInput &input) const {
  Tensor hidden = input.hidden.contiguous();
  if (hidden.dim() != 3 || hidden.size(2) != weights_.flex.size(1) || hidden.size(1) != input.layout.tokens)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("hidden: expected shape [B, {}, {}], got {} elements in {} axes",
                            input.layout.tokens, weights_.flex.size(1), hidden.numel(), hidden.dim()));
  return hidden;
}

Tensor MMate::mix(const MixerInput &input, MMateState &state) const {
  Tensor hidden = checkedHidden(input);
  auto sequence = shared_->sequence(input.layout, hidden.device());
  using Branches = MMateConfig::Branches;
  bool vision = !input.layout.media.empty();
  Tensor y;
  if (config_.branches == Branches::swin)
    y = vision ? swinBranch(input, *sequence) : torch::zeros_like(hidden);
  else
    y = flexBranch(hidden, *sequence, state);
  if (config_.branches == Branches::both && (vision || !config_.lambda_is_one_on_text)) {
    Tensor lambda = torch::sigmoid(torch::linear(hidden, weights_.lambda, weights_.lambda_bias));
    if (config_.lambda_is_one_on_text)
      lambda = torch::where(sequence->vision.unsqueeze(2), lambda, torch::ones({1}, lambda.options()));
    y = lambda * y;
    if (vision)
      y = y + (1 - lambda) * swinBranch(input, *sequence);
  }
  if (config_.output_norm)
    y = torch::layer_norm(y, {y.size(2)}, weights_.output_norm, weights_.output_norm_bias,
                          config_.norm_epsilon);
  return y;
}

Tensor MMate::forward(const MixerInput &input, MixerState &mixerState) {
  auto *state = dynamic_cast<MMateState *>(&mixerState);
  if (!state)
    throw Error(ErrorCode::invalidArgument,
                "state: expected one made by M-MATE's initialState, got that of another mixer");
  torch::InferenceMode guard;
  return mix(input, *state);
}

void MMate::moveTo(torch::Device device) {
  auto move = [&](Tensor &tensor) {
    if (tensor.defined())
      tensor = tensor.to(device);
  };
  for (auto &part : weights_.convolution)
    for (Tensor &lag : part)
      move(lag);
  for (Tensor *tensor :
       {&weights_.flex, &weights_.flex_bias, &weights_.forward_a_log, &weights_.reverse_a_log,
        &weights_.scan_norm, &weights_.flex_output, &weights_.flex_output_bias, &weights_.swin,
        &weights_.swin_bias, &weights_.swin_output, &weights_.swin_output_bias, &weights_.lambda,
        &weights_.lambda_bias, &weights_.output_norm, &weights_.output_norm_bias})
    move(*tensor);
}

Tensor MMate::forwardWithGradients(const MixerInput &input) const {
  auto state = initialState(input.hidden.size(0));
  return mix(input, static_cast<MMateState &>(*state));
}

Tensor MMate::flexWithGradients(const MixerInput &input) const {
  auto state = initialState(input.hidden.size(0));
  return flexBranch(checkedHidden(input), *shared_->sequence(input.layout, input.hidden.device()),
                    static_cast<MMateState &>(*state));
}

} // namespace linmu::models
