#include "dialects/pattern/StepValue.h"

namespace linmu::pattern {

StepValue StepValue::filled(std::vector<std::int64_t> shape, double value) {
  std::int64_t count = 1;
  for (std::int64_t extent : shape)
    count *= extent;
  return {std::move(shape), std::vector<double>(count, value)};
}

StepValue elementwise(const StepValue &source, const std::function<double(double)> &function) {
  StepValue result = source;
  for (double &element : result.elements)
    element = function(element);
  return result;
}

StepValue elementwise(const StepValue &lhs, const StepValue &rhs,
                      const std::function<double(double, double)> &function) {
  StepValue result = lhs;
  for (std::size_t i = 0; i < result.elements.size(); ++i)
    result.elements[i] = function(lhs.elements[i], rhs.elements[i]);
  return result;
}

} // namespace linmu::pattern
