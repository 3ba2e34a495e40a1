// A value of a step in exact arithmetic: what StepOp::evaluate takes and gives.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace linmu::pattern {

/// Row-major elements; booleans are 0 and 1, integers are whole numbers. A scalar has an empty shape.
struct StepValue {
  std::vector<std::int64_t> shape;
  std::vector<double> elements;

  static StepValue scalar(double value) { return {{}, {value}}; }
  static StepValue filled(std::vector<std::int64_t> shape, double value);
  double &at(std::int64_t row, std::int64_t column) { return elements[row * shape[1] + column]; }
  double at(std::int64_t row, std::int64_t column) const { return elements[row * shape[1] + column]; }
};

StepValue elementwise(const StepValue &source, const std::function<double(double)> &function);
/// Equal shapes.
StepValue elementwise(const StepValue &lhs, const StepValue &rhs,
                      const std::function<double(double, double)> &function);

} // namespace linmu::pattern
