#include "models/tools/layer_times.h"
#include "distill/autocast.h"
#include "distill/peak_memory.h"
#include "models/mmate/convert.h"
#include "models/mmate/mmate_tensors.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

namespace linmu::tools {

using torch::Tensor;

static models::AttentionWeights randomAttention(const models::DecoderConfig &shape) {
  const std::int64_t rows = shape.heads * shape.head_dim, of_keys = shape.key_value_heads * shape.head_dim;
  auto weight = [](std::int64_t out, std::int64_t in) {
    return torch::randn({out, in}) / std::sqrt(double(in));
  };
  models::AttentionWeights weights;
  weights.query = weight(rows, shape.hidden_size);
  weights.key = weight(of_keys, shape.hidden_size);
  weights.value = weight(of_keys, shape.hidden_size);
  weights.output = weight(shape.hidden_size, rows);
  weights.heads = shape.heads;
  weights.key_value_heads = shape.key_value_heads;
  weights.head_dim = shape.head_dim;
  weights.rotary = std::make_shared<models::Rotary>(shape.head_dim, shape.rope_theta, shape.rope_scaling);
  return weights;
}

void LayerTimesOptions::check(std::int64_t tokens) const {
  const auto [rows, columns] = frame;
  if (tokens < 1 || tokens % (rows * columns) != 0)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("--tokens: expected whole frames of {}x{}, got {}", rows, columns, tokens));
}

LayerTimes::LayerTimes(const LayerTimesOptions &options) : options_(options) {
  torch::manual_seed(0);
  const models::DecoderConfig &shape = options_.shape;
  models::AttentionWeights attention = randomAttention(shape);
  models::MMateWeights mmate = models::reuseWeights(attention, shape.hidden_size, /*seed=*/0);
  for (models::LinearWeight *weight : {&attention.query, &attention.key, &attention.value, &attention.output})
    *weight = weight->tensor().to(options_.device).requires_grad_(options_.gradients);
  models::eachTensor(mmate, shape, options_.mixer, [&](const models::MMateTensor &entry) {
    if (entry.tensor.defined())
      entry.tensor = entry.tensor.detach().to(options_.device).requires_grad_(options_.gradients);
  });
  attention_ = std::make_shared<models::Attention>(std::move(attention));
  // The second layer: its windows are shifted.
  mmate_ = std::make_shared<models::MMate>(
      std::move(mmate), options_.mixer, /*layer=*/1,
      std::make_shared<models::MMateShared>(shape.heads, shape.key_value_heads, shape.head_dim));
}

void LayerTimes::synchronize() const {
  if (!options_.device.is_cpu()) {
    const c10::impl::VirtualGuardImpl device(options_.device.type());
    device.synchronizeDevice(device.getDevice().index());
  }
}

double LayerTimes::run(const models::TokenMixer &mixer, const models::MixerInput &input) const {
  const torch::AutoGradMode mode(options_.gradients);
  const auto began = std::chrono::steady_clock::now();
  Tensor output;
  {
    const distill::Autocast autocast(options_.bf16, options_.device.type());
    output = mixer.forwardWithGradients(input);
  }
  if (options_.gradients)
    output.backward(torch::ones_like(output));
  synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

LayerTime LayerTimes::of(const std::string &mixer, std::int64_t tokens) {
  options_.check(tokens);
  const auto [rows, columns] = options_.frame;
  const models::SequenceLayout layout{tokens, {{0, tokens / (rows * columns), rows, columns}}};
  torch::manual_seed(1);
  Tensor hidden = torch::randn({options_.batch, tokens, options_.shape.hidden_size}).to(options_.device);
  if (options_.bf16)
    hidden = hidden.to(torch::kBFloat16);
  hidden.requires_grad_(options_.gradients);
  const models::MixerInput input{hidden, torch::arange(tokens, torch::kInt64), layout};
  using Branches = models::MMateConfig::Branches;
  mmate_->setBranches(mixer == "flex" ? Branches::flex : mixer == "swin" ? Branches::swin : Branches::both);
  const models::TokenMixer &timed =
      mixer == "attention" ? *attention_ : static_cast<const models::TokenMixer &>(*mmate_);
  run(timed, input);
  LayerTime result;
  const auto [allocator, index] = distill::memoryCountOf(options_.device);
  auto bytes = [allocator, index] {
    return allocator->getDeviceStats(index)
        .allocated_bytes[std::size_t(c10::CachingAllocator::StatType::AGGREGATE)];
  };
  const double before = allocator ? double(bytes().current) : 0;
  if (allocator)
    allocator->resetPeakStats(index);
  std::vector<double> times;
  for (std::int64_t i = 0; i < options_.repeats; ++i)
    times.push_back(run(timed, input));
  std::ranges::nth_element(times, times.begin() + std::ptrdiff_t(times.size() / 2));
  result.seconds = times[times.size() / 2];
  if (allocator)
    result.bytes = double(bytes().peak) - before;
  return result;
}

} // namespace linmu::tools
