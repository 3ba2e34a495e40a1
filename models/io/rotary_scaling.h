// How a checkpoint stretches the rotary position embedding beyond the length it was trained with first.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace linmu::models {

/// What becomes of the frequencies theta^(-2i/D); `factor` is s, `original_length` L.
enum class RotaryScalingType {
  none,
  linear,  ///< f / s
  dynamic, ///< of theta (s n / L - (s - 1))^(D / (D - 2)) for the n tokens so far, once they are more than L
  llama3,  ///< f / s for wavelengths above L / low_frequency, f below L / high_frequency, blended between
  yarn     ///< f / s below beta_slow turns in L, f above beta_fast, blended by i between (arXiv:2309.00071)
};

struct RotaryScaling {
  RotaryScalingType type = RotaryScalingType::none;
  double factor = 1.0;
  double original_length = 0.0;                     ///< tokens; of dynamic, llama3 and yarn
  double low_frequency = 0.0, high_frequency = 0.0; ///< of llama3
  double beta_fast = 32.0, beta_slow = 1.0;         ///< of yarn
  bool truncate = true;                             ///< yarn blends between whole i
  double amplitude = 1.0;      ///< of cosines and sines, so that its square is the logits'
  std::vector<float> divisors; ///< of the frequencies, D/2 or none, before all else
  bool operator==(const RotaryScaling &) const = default;
};

/// theta^(-2i/D), i < D/2, scaled, for a sequence of `tokens` so far.
std::vector<double> rotaryFrequencies(std::int64_t head_dim, double theta, const RotaryScaling &scaling,
                                      std::int64_t tokens);

/// yarn's amplitude where none is given: 0.1 weight ln(factor) + 1, or 1 without scaling.
double yarnAmplitude(double factor, double weight = 1.0);

} // namespace linmu::models
