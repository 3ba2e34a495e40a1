#include "models/generate/sampler.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <vector>

namespace linmu::models {

Sampler::Sampler(const SamplingOptions &options) : options_(options), random_(options.seed) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the temperature must be 0 or more, got {}", options.temperature));
  if (!(options.top_p > 0 && options.top_p <= 1))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("top-p must be above 0 and at most 1, got {}", options.top_p));
}

std::int64_t Sampler::next(std::span<const float> logits) {
  if (logits.empty() || std::ranges::any_of(logits, [](float logit) { return std::isnan(logit); }))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("sampling requires at least one logit and none that is NaN, got {} logits",
                            logits.size()));
  auto most_likely = std::ranges::max_element(logits);
  if (options_.temperature == 0)
    return most_likely - logits.begin();

  std::vector<double> weights(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    weights[i] = std::exp((static_cast<double>(logits[i]) - *most_likely) / options_.temperature);
  std::vector<std::int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::int64_t a, std::int64_t b) {
    return std::pair(-weights[a], a) < std::pair(-weights[b], b);
  });
  double limit = options_.top_p * std::accumulate(weights.begin(), weights.end(), 0.0);
  double kept = 0;
  std::size_t count = 0;
  while (count < order.size() && kept < limit)
    kept += weights[order[count++]];

  // 53 random bits: standard distributions differ between libraries.
  double target = kept * static_cast<double>(random_() >> 11) * 0x1p-53;
  for (std::size_t i = 0; i < count; ++i)
    if ((target -= weights[order[i]]) < 0)
      return order[i];
  return order[count - 1];
}

} // namespace linmu::models
