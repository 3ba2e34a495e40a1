// The formulas of transformers' modeling_rope_utils.py and of ggml's rope_yarn.
#include "models/io/rotary_scaling.h"
#include <algorithm>
#include <cmath>
#include <numbers>

namespace linmu::models {
namespace {

constexpr double turn = 2 * std::numbers::pi;

double llama3Frequency(double frequency, const RotaryScaling &scaling) {
  double turns = scaling.original_length * frequency / turn; // in the original length
  if (turns > scaling.high_frequency)
    return frequency;
  if (turns < scaling.low_frequency)
    return frequency / scaling.factor;
  double smooth = (turns - scaling.low_frequency) / (scaling.high_frequency - scaling.low_frequency);
  return (1 - smooth) * frequency / scaling.factor + smooth * frequency;
}

/// Where between 0 and 1 yarn interpolates, by i.
struct YarnRamp {
  double low, high;
  YarnRamp(std::int64_t head_dim, double theta, const RotaryScaling &scaling) {
    auto dimension = static_cast<double>(head_dim);
    auto indexOf = [&](double turns) {
      return dimension * std::log(scaling.original_length / (turns * turn)) / (2 * std::log(theta));
    };
    low = indexOf(scaling.beta_fast);
    high = indexOf(scaling.beta_slow);
    if (scaling.truncate) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, dimension - 1);
    if (low == high)
      high += 0.001;
  }
  double operator()(std::int64_t i) const {
    return std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
  }
};

} // namespace

double yarnAmplitude(double factor, double weight) {
  return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1;
}

std::vector<double> rotaryFrequencies(std::int64_t head_dim, double theta, const RotaryScaling &scaling,
                                      std::int64_t tokens) {
  auto dimension = static_cast<double>(head_dim);
  if (scaling.type == RotaryScalingType::dynamic) {
    double length = std::max(static_cast<double>(tokens), scaling.original_length);
    theta *= std::pow(scaling.factor * length / scaling.original_length - (scaling.factor - 1),
                      dimension / (dimension - 2));
  }
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < head_dim / 2; ++i) {
    double frequency = std::pow(theta, -2 * static_cast<double>(i) / dimension);
    if (!scaling.divisors.empty())
      frequency /= scaling.divisors[static_cast<std::size_t>(i)];
    if (scaling.type == RotaryScalingType::linear)
      frequency /= scaling.factor;
    else if (scaling.type == RotaryScalingType::llama3)
      frequency = llama3Frequency(frequency, scaling);
    else if (scaling.type == RotaryScalingType::yarn) {
      double share = YarnRamp(head_dim, theta, scaling)(i);
      frequency = frequency / scaling.factor * share + frequency * (1 - share);
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

} // namespace linmu::models
