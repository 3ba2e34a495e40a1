#include "models/media/token_grid.h"
#include "runtime/core/error.h"
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace linmu::media {
namespace {

constexpr int longest_side = 8192;
constexpr double usual_tokens_per_step = 256.0;
constexpr double largest_distortion = 2.5;

} // namespace

std::string toString(const TokenGrid &grid) { return fmt::format("{}x{}x{}", grid.t, grid.h, grid.w); }

ClipPlan planClip(int tokens, int available, double aspect, PatchShape patch) {
  if (tokens < 1 || available < 1 || !(aspect > 0) || std::isinf(aspect) || patch.t < 1 || patch.h < 1 ||
      patch.w < 1)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("expected positive numbers of tokens, frames, aspect and patch, found {}, {}, {:g} "
                    "and {}x{}x{}",
                    tokens, available, aspect, patch.t, patch.h, patch.w));
  TokenGrid best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int t = std::min(tokens, available / patch.t); t >= 1; --t) {
    if (tokens % t)
      continue;
    const int per_step = tokens / t;
    for (int w = std::min(per_step, longest_side / patch.w); w >= 1; --w) {
      const int h = per_step / w;
      if (per_step % w || h > longest_side / patch.h)
        continue;
      const double distortion = std::abs(std::log(double(w) * patch.w / (double(h) * patch.h) / aspect));
      const double cost = distortion + std::abs(std::log(per_step / usual_tokens_per_step));
      // Costs that are equal on paper may differ in the last bits.
      if (distortion <= std::log(largest_distortion) && cost < best_cost - 1e-9) {
        best = {.t = t, .h = h, .w = w};
        best_cost = cost;
      }
    }
  }
  if (best.tokens() == 0)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("expected a clip that {} tokens of {}x{}x{} fit, found {} frames of aspect {:.2f}",
                    tokens, patch.t, patch.h, patch.w, available, aspect),
        "choose a number of tokens with small factors, or a longer clip");
  return {.grid = best,
          .frames = best.t * patch.t,
          .size = {.width = best.w * patch.w, .height = best.h * patch.h}};
}

} // namespace linmu::media
