#include "models/report/axis.h"
#include "runtime/core/error.h"
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <functional>
#include <span>

namespace linmu::report {
namespace {

constexpr int most_intervals = 8;

enum class Zeros { keep, trim }; ///< after the decimal point

std::string threeDigits(double value, Zeros zeros) {
  const double magnitude = std::abs(value);
  const int decimals = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (decimals && zeros == Zeros::trim) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
  }
  return text;
}

std::string groupsOfThree(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (int at = int(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(at, ",");
  return (value < 0 ? "-" : "") + digits;
}

/// `value` in the largest of `units` that does not exceed it, each `base` times the one before.
std::string withUnit(double value, double base, std::span<const char *const> units, Zeros zeros) {
  std::size_t unit = 0;
  // 999.6 would read 1000.
  while (unit + 1 < units.size() && std::abs(value) >= (base == 1000 ? 999.5 : base))
    value /= base, ++unit;
  // A count below the first unit is exact.
  return threeDigits(value, unit == 0 && value == std::round(value) ? Zeros::trim : zeros) + units[unit];
}

std::string format(double value, Quantity quantity, Zeros zeros) {
  static constexpr const char *thousands[] = {"", "k", "M", "G", "T"};
  static constexpr const char *lengths[] = {"", "K", "M", "G"};
  static constexpr const char *bytes[] = {" B", " KiB", " MiB", " GiB", " TiB"};
  if (value == 0)
    return "0";
  const double magnitude = std::abs(value);
  switch (quantity) {
  case Quantity::number:
    return magnitude < 0.1 ? fmt::format("{:.3g}", value) : withUnit(value, 1000, thousands, zeros);
  case Quantity::length:
    return std::fmod(magnitude, 1024) == 0 ? withUnit(value, 1024, lengths, Zeros::trim)
                                           : groupsOfThree(value);
  case Quantity::bytes:
    return withUnit(value, 1024, bytes, zeros);
  case Quantity::duration:
    if (magnitude < 0.9995e-3)
      return threeDigits(value * 1e6, zeros) + " us";
    return magnitude < 0.9995 ? threeDigits(value * 1e3, zeros) + " ms" : threeDigits(value, zeros) + " s";
  }
  throw Error(ErrorCode::internal, "a quantity that has no format");
}

bool binary(Quantity quantity) { return quantity == Quantity::length || quantity == Quantity::bytes; }

/// The least of 1, 2, 5 times a power of ten (or of the powers of two) that is at least `step`.
double niceStep(double step, Quantity quantity) {
  if (binary(quantity))
    return std::max(1.0, std::exp2(std::ceil(std::log2(step) - 1e-9)));
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= step * (1 - 1e-9))
      return factor * power;
  return 10.0 * power;
}

void addTicks(Axis &axis, Quantity quantity, int first, int last, int stride,
              const std::function<double(int)> &value) {
  const auto floorTo = [stride](int n) { return n - ((n % stride) + stride) % stride; };
  const int end = -floorTo(-last);
  for (int n = floorTo(first); n <= end; n += stride)
    axis.ticks.push_back({.value = value(n), .label = format(value(n), quantity, Zeros::trim)});
}

void addLinearTicks(Axis &axis, double low, double high, Quantity quantity) {
  if (low >= 0)
    low = 0;
  if (high == low)
    high = low + 1;
  const double step = niceStep((high - low) / (most_intervals - 2), quantity);
  addTicks(axis, quantity, int(std::floor(low / step + 1e-9)), int(std::ceil(high / step - 1e-9)), 1,
           [step](int n) { return n * step; });
}

void addLogarithmicTicks(Axis &axis, double low, double high, Quantity quantity) {
  if (low == high)
    low /= 2, high *= 2;
  // Rung n of the ladder: 2^n, or 1, 2, 5 times powers of ten, or powers of ten alone.
  const bool decades_only = std::log10(high / low) > 2.7;
  const std::function<double(int)> rung = [=](int n) {
    if (binary(quantity))
      return std::exp2(n);
    if (decades_only)
      return std::pow(10.0, n);
    const int decade = int(std::floor(n / 3.0));
    return std::pow(10.0, decade) * (n - 3 * decade == 0 ? 1.0 : n - 3 * decade == 1 ? 2.0 : 5.0);
  };
  const auto rungBelow = [&](double value) {
    const double rungs_per_decade = binary(quantity) ? std::log2(10.0) : decades_only ? 1.0 : 3.0;
    int n = int(std::floor(std::log10(value) * rungs_per_decade)) + 2;
    while (rung(n) > value * (1 + 1e-9))
      --n;
    return n;
  };
  const int first = rungBelow(low);
  int last = rungBelow(high);
  if (rung(last) < high * (1 - 1e-9))
    ++last;
  const int intervals = std::max(1, last - first);
  addTicks(axis, quantity, first, std::max(last, first + 1),
           (intervals + most_intervals - 1) / most_intervals, rung);
}

} // namespace

std::string formatQuantity(double value, Quantity quantity) { return format(value, quantity, Zeros::keep); }

double Axis::position(double value) const {
  const double low = ticks.front().value, high = ticks.back().value;
  return scale == AxisScale::linear ? (value - low) / (high - low)
                                    : std::log(value / low) / std::log(high / low);
}

Axis makeAxis(double low, double high, AxisScale scale, Quantity quantity) {
  const bool logarithmic = scale == AxisScale::logarithmic;
  if (!std::isfinite(low) || !std::isfinite(high) || low > high || (logarithmic && low <= 0))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("an axis: expected {} ascending limits, found {:g} and {:g}",
                            logarithmic ? "positive, finite," : "finite,", low, high));
  Axis axis{.scale = scale, .ticks = {}};
  if (logarithmic)
    addLogarithmicTicks(axis, low, high, quantity);
  else
    addLinearTicks(axis, low, high, quantity);
  return axis;
}

} // namespace linmu::report
