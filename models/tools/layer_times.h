// What one layer's token mixing takes: attention, M-MATE and each of its branches.
#pragma once
#include "models/io/decoder_config.h"
#include "models/mmate/mmate.h"
#include <array>
#include <optional>
#include <string>

namespace linmu::tools {

/// Layers of one decoder's shape with random weights, and how they are run.
struct LayerTimesOptions {
  models::DecoderConfig shape;
  models::MMateConfig mixer;
  torch::Device device = torch::kCPU;
  bool bf16 = false;      ///< products in bf16 under autocast; weights stay f32
  bool gradients = false; ///< forward and backward, to the input and every weight
  std::int64_t batch = 1;
  std::array<std::int64_t, 2> frame{16, 16}; ///< rows and columns of tokens
  std::int64_t repeats = 5;

  /// Throws Error(invalidArgument) unless `tokens` are whole frames.
  void check(std::int64_t tokens) const;
};

struct LayerTime {
  double seconds = 0;          ///< the median
  std::optional<double> bytes; ///< of tensors beside the weights at most; on a GPU alone
};

class LayerTimes {
public:
  explicit LayerTimes(const LayerTimesOptions &options);

  /// "attention", "flex" (Flex-MA alone), "swin" (Local-Swin alone), "both".
  static constexpr std::array<const char *, 4> mixers{"attention", "flex", "swin", "both"};
  /// Of a video of `tokens` (see LayerTimesOptions::check()), on random hidden states. A mixer is run once
  /// before it is timed, and compiles then what is not in the cache.
  LayerTime of(const std::string &mixer, std::int64_t tokens);

private:
  void synchronize() const;
  double run(const models::TokenMixer &mixer, const models::MixerInput &input) const;

  LayerTimesOptions options_;
  std::shared_ptr<models::TokenMixer> attention_;
  std::shared_ptr<models::MMate> mmate_;
};

} // namespace linmu::tools
