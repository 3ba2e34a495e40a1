// Video tokens without a trained encoder: the low frequencies of patches of frames.
#pragma once
#include "models/media/cosine_transform.h"
#include "models/media/token_grid.h"
#include <cstdint>
#include <vector>

namespace linmu::media {

/// `values` is [grid.t, grid.h, grid.w, width], row-major, so tokens lie in raster order t, y, x.
struct VideoTokens {
  TokenGrid grid;
  int width = 0; ///< features of a token
  std::vector<float> values;
  float scale = 1; ///< common to all tokens: what brought their RMS to the one asked for
  int frames = 0;  ///< of the clip, before padding
  FrameSize size;  ///< of the clip, before padding
};

/// Frequency (t, h, w) of a channel (0: Y, 1: Cb, 2: Cr) as one feature of a token.
struct PatchCoefficient {
  int channel = 0;
  int t = 0;
  int h = 0;
  int w = 0;
  float gain = 1;
};

/// A token holds a patch of [t, h, w] pixels:
/// 1. RGB in [0, 1] to YCbCr, BT.601 full range (as in JPEG): Y = 0.299 R + 0.587 G + 0.114 B,
///    Cb = (B - Y) / 1.772, Cr = (R - Y) / 1.402; then Y - 0.5, so that all three are centred at zero.
/// 2. The orthonormal 3-D DCT-II of each channel.
/// 3. The lowest frequencies of each channel, in the order of a 3-D zig-zag: for frequency indices (i, j, k)
///    ascending f = i/t + j/h + k/w; of equals, by i, then j, then k. Of `width` features, each chroma
///    channel gets floor(width / 6) and luma the rest (576: 384 + 96 + 96), luma at most all t h w of its
///    own, what is over then going to Cb and Cr alike (Cb first). Features are in the order Y, Cb, Cr.
/// 4. Feature values are `scale * gain * coefficient`, gain = (1 + 16 f)^1.5, and four times that for chroma.
///    The spectrum of video falls about so, and chroma's is weaker: without a gain the token would be its
///    mean colour and little else. `scale` makes the RMS over all values of all tokens the one asked for.
/// A linear map up to `scale`, and invertible up to the frequencies left out and the rounding to 8 bits.
class PatchTokenizer {
public:
  /// Throws Error(invalidArgument) unless 1 <= width <= 3 * patch.values() and the patch's extents are 1..64.
  explicit PatchTokenizer(int width, PatchShape patch = {});

  /// Tokens of `frames`, padded to whole patches by repeating the last frame, row and column; `rms` > 0.
  /// Throws Error(invalidArgument) for no frames or a buffer that has another size than it says.
  VideoTokens tokenize(const Frames &frames, double rms) const;

  /// The frames whose left-out frequencies are zero, without the padding, clamped and rounded to 8 bits.
  /// Throws Error(invalidArgument) for tokens of another width or grid than the frames need.
  Frames detokenize(const VideoTokens &tokens) const;

  int width() const { return int(coefficients_.size()); }
  PatchShape patch() const { return patch_; }

  /// What feature i of a token is.
  const std::vector<PatchCoefficient> &coefficients() const { return coefficients_; }

private:
  TokenGrid gridOf(int frames, FrameSize size) const;

  PatchShape patch_;
  CosineTransform transform_;
  std::vector<PatchCoefficient> coefficients_;
};

} // namespace linmu::media
