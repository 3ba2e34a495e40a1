#include "models/media/cosine_transform.h"
#include <algorithm>
#include <cmath>
#include <numbers>

namespace linmu::media {
namespace {

std::vector<float> cosines(int n) {
  std::vector<float> matrix(n * n);
  for (int f = 0; f < n; ++f)
    for (int x = 0; x < n; ++x)
      matrix[f * n + x] =
          float(std::sqrt((f ? 2.0 : 1.0) / n) * std::cos(std::numbers::pi * (2 * x + 1) * f / (2.0 * n)));
  return matrix;
}

std::vector<float> transposed(const std::vector<float> &matrix, int n) {
  std::vector<float> result(n * n);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      result[column * n + row] = matrix[row * n + column];
  return result;
}

/// result[o, m, i] = sum_x matrix[m, x] values[o, x, i]: the innermost loop runs over contiguous i.
void multiplyAlong(const float *__restrict matrix, const float *__restrict values, float *__restrict result,
                   int outer, int n, int inner) {
  for (int o = 0; o < outer; ++o, values += n * inner)
    for (int m = 0; m < n; ++m, result += inner) {
      std::fill_n(result, inner, 0.0f);
      for (int x = 0; x < n; ++x) {
        const float factor = matrix[m * n + x];
        for (int i = 0; i < inner; ++i)
          result[i] += factor * values[x * inner + i];
      }
    }
}

/// result[o, m] = sum_x values[o, x] matrix[x, m].
void multiplyRows(const float *__restrict matrix, const float *__restrict values, float *__restrict result,
                  int outer, int n) {
  for (int o = 0; o < outer; ++o, values += n, result += n) {
    std::fill_n(result, n, 0.0f);
    for (int x = 0; x < n; ++x)
      for (int m = 0; m < n; ++m)
        result[m] += values[x] * matrix[x * n + m];
  }
}

} // namespace

CosineTransform::CosineTransform(int t, int h, int w)
    : t_(t), h_(h), w_(w), along_t_(cosines(t)), along_h_(cosines(h)), along_w_(cosines(w)),
      back_t_(transposed(along_t_, t)), back_h_(transposed(along_h_, h)), back_w_(transposed(along_w_, w)) {}

void CosineTransform::forward(float *block, float *scratch) const {
  multiplyRows(back_w_.data(), block, scratch, t_ * h_, w_);
  multiplyAlong(along_h_.data(), scratch, block, t_, h_, w_);
  multiplyAlong(along_t_.data(), block, scratch, 1, t_, h_ * w_);
  std::copy_n(scratch, t_ * h_ * w_, block);
}

void CosineTransform::inverse(float *block, float *scratch) const {
  multiplyAlong(back_t_.data(), block, scratch, 1, t_, h_ * w_);
  multiplyAlong(back_h_.data(), scratch, block, t_, h_, w_);
  multiplyRows(along_w_.data(), block, scratch, t_ * h_, w_);
  std::copy_n(scratch, t_ * h_ * w_, block);
}

} // namespace linmu::media
