// The orthonormal discrete cosine transform (DCT-II) of small blocks.
#pragma once
#include <vector>

namespace linmu::media {

/// In one dimension of n values:
///   y[f] = c(f) sum_x x[x] cos(pi (2 x + 1) f / (2 n)),  c(0) = sqrt(1 / n), c(f > 0) = sqrt(2 / n);
/// in three, along each in turn. Orthonormal: the inverse is the transpose, and sums of squares are kept.
class CosineTransform {
public:
  /// Blocks are [t, h, w], row-major; extents at least 1.
  CosineTransform(int t, int h, int w);

  /// In place. `scratch` has the block's size.
  void forward(float *block, float *scratch) const;
  void inverse(float *block, float *scratch) const;

private:
  int t_, h_, w_;
  std::vector<float> along_t_, along_h_, along_w_; ///< [frequency, position]
  std::vector<float> back_t_, back_h_, back_w_;    ///< transposed
};

} // namespace linmu::media
