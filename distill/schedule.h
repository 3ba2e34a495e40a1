// The learning rate over the steps of a stage.
#pragma once
#include <cstdint>

namespace linmu::distill {

struct Schedule {
  enum class Shape {
    cosine,  ///< half a cosine from the warm-up to the last step
    constant ///< constant, then linear over the last `decay` of the steps (warm-up, stable, decay)
  } shape = Shape::cosine;
  double peak = 5e-4;
  std::int64_t warmup = 0; ///< steps of linear warm-up: peak / (warmup + 1), 2 peak / (warmup + 1), ...
  double decay = 0.2;      ///< of all steps; of `constant`
  double floor = 0.1;      ///< of the peak, approached at the end

  /// Of step 0 <= step < steps; follows from its arguments alone, so that a resumed run goes on with it.
  double at(std::int64_t step, std::int64_t steps) const;
};

} // namespace linmu::distill
