// The choices that the paper leaves open, one key each, and two presets that settle them.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace linmu::models {

/// What is outside the layer's weights. Text tokens are those in no media item.
struct MMateConfig {
  /// Which branches there are. With one of them lambda is 1 or 0, on every token.
  enum class Branches { both, flex, swin } branches = Branches::both;
  /// Which tokens read the reverse state: all (Eq. 2 taken literally), or vision only, so that text is
  /// causal.
  enum class ReverseTarget { all, vision } reverse_target = ReverseTarget::vision;
  /// How far the reverse state reaches: the whole sequence, or one media item.
  enum class ReverseScope { sequence, segment } reverse_scope = ReverseScope::segment;
  /// Whether the reverse state decays over text, which writes nothing to it.
  bool reverse_decays_over_text = false;
  /// The fusion gate g is 1 on text, whatever was learnt.
  bool gate_is_one_on_text = true;
  /// lambda is 1 on text.
  bool lambda_is_one_on_text = true;
  /// The causal convolution of width 4 before the scans.
  bool short_convolution = false;
  /// RMSNorm of each head of the fused scan output; otherwise it is scaled by 1 / sqrt(D).
  bool scan_norm = true;
  /// LayerNorm of the block's output.
  bool output_norm = false;
  /// Pairs that the cyclic shift brought together attend to each other.
  bool join_wrapped = false;
  double norm_epsilon = 1e-6;
  /// Tokens (t, h, w) of a window in a video, and (h, w) in an image; odd layers shift them by half.
  std::array<std::int64_t, 3> video_window{16, 4, 4};
  std::array<std::int64_t, 2> image_window{8, 8};

  bool operator==(const MMateConfig &) const = default;

  /// "paper": the text taken literally. "safe": what converts and serves well. Throws
  /// Error(invalidArgument) for another name.
  static MMateConfig preset(std::string_view name);

  /// Every key with its value; fromJson takes presets ({"preset": "paper"}) with overrides and throws
  /// Error(invalidArgument) for a key or value that does not exist.
  std::string toJson() const;
  static MMateConfig fromJson(const std::string &text);
};

} // namespace linmu::models
