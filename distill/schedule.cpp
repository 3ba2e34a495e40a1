#include "distill/schedule.h"
#include <algorithm>
#include <cmath>
#include <numbers>

namespace linmu::distill {

double Schedule::at(std::int64_t step, std::int64_t steps) const {
  if (step < warmup)
    return peak * double(step + 1) / double(warmup + 1);
  double share = 0; // 0 at the peak, 1 at the floor
  if (shape == Shape::cosine) {
    double along = double(step - warmup) / double(std::max<std::int64_t>(1, steps - warmup));
    share = (1 - std::cos(std::numbers::pi * std::min(along, 1.0))) / 2;
  } else if (double length = decay * double(steps); length > 0) {
    share = std::clamp((double(step) - (double(steps) - length)) / length, 0.0, 1.0);
  }
  return peak * (1 - share * (1 - floor));
}

} // namespace linmu::distill
