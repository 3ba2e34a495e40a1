#include "models/decoder/few_rows.h"
#include <array>
#include <cmath>

namespace linmu::models {
namespace {

// What a thread computes in some microseconds. Above it torch's vectors and threads pay.
constexpr std::int64_t mostValues = 1 << 14;

/// In as many partial sums as vectors of a few registers have.
float meanOfSquares(const float *x, std::int64_t size) {
  constexpr std::int64_t lanes = 16;
  std::array<float, lanes> sums{};
  std::int64_t at = 0;
  for (; at + lanes <= size; at += lanes)
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      sums[static_cast<std::size_t>(lane)] += x[at + lane] * x[at + lane];
  float sum = 0;
  for (; at < size; ++at)
    sum += x[at] * x[at];
  for (float each : sums)
    sum += each;
  return sum / static_cast<float>(size);
}

} // namespace

bool isFewRows(const torch::Tensor &x) {
  return x.numel() > 0 && x.numel() <= mostValues && x.device().is_cpu() &&
         x.scalar_type() == torch::kFloat32 && x.is_contiguous() && torch::InferenceMode::is_enabled();
}

torch::Tensor normedRows(const torch::Tensor &x, const torch::Tensor &weight, double epsilon) {
  const std::int64_t size = x.size(-1), rows = x.numel() / size;
  torch::Tensor result = torch::empty_like(x);
  const auto *from = x.data_ptr<float>(), *factors = weight.data_ptr<float>();
  auto *to = result.data_ptr<float>();
  for (std::int64_t row = 0; row < rows; ++row, from += size, to += size) {
    const float inverse = 1 / std::sqrt(meanOfSquares(from, size) + static_cast<float>(epsilon));
    for (std::int64_t i = 0; i < size; ++i)
      to[i] = from[i] * inverse * factors[i];
  }
  return result;
}

torch::Tensor rotatedRows(const torch::Tensor &x, const torch::Tensor &cosines, const torch::Tensor &sines) {
  const std::int64_t batch = x.size(0), tokens = x.size(1), heads = x.size(2), half = x.size(3) / 2;
  const torch::Tensor c = cosines.contiguous(), s = sines.contiguous();
  torch::Tensor result = torch::empty_like(x);
  const auto *from = x.data_ptr<float>();
  auto *to = result.data_ptr<float>();
  for (std::int64_t row = 0; row < batch * tokens * heads; ++row, from += 2 * half, to += 2 * half) {
    const std::int64_t token = row / heads % tokens;
    const auto *cosine = c.data_ptr<float>() + token * half, *sine = s.data_ptr<float>() + token * half;
    for (std::int64_t i = 0; i < half; ++i) {
      to[i] = from[i] * cosine[i] - from[i + half] * sine[i];
      to[i + half] = from[i + half] * cosine[i] + from[i] * sine[i];
    }
  }
  return result;
}

} // namespace linmu::models
