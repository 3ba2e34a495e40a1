// The range, the ticks and the labels of one axis of a chart.
#pragma once
#include <string>
#include <vector>

namespace linmu::report {

enum class AxisScale { linear, logarithmic };

/// How values read.
enum class Quantity {
  number,  ///< 0.25, 12, 1.5k, 3M: powers of 1000
  length,  ///< tokens: 512, 1K, 32K: powers of 1024 where they divide, else digits in groups of three
  bytes,   ///< 512 B, 1.5 MiB, 3 GiB
  duration ///< of seconds: 250 us, 12 ms, 1.5 s
};

/// Three significant digits; of whole numbers and bytes below the first unit, and of lengths, as many as it
/// takes. "0" for zero; a minus sign for negative values.
std::string formatQuantity(double value, Quantity quantity);

struct AxisTick {
  double value = 0;
  std::string label; ///< without zeros at the end
};

/// Ascending ticks; the range reaches from the first to the last.
struct Axis {
  AxisScale scale = AxisScale::linear;
  std::vector<AxisTick> ticks;

  /// 0 at the first tick, 1 at the last.
  double position(double value) const;
};

/// Between 2 and about 9 ticks that enclose [low, high]. Linear: multiples of 1, 2 or 5 times a power of ten
/// (of a power of two for lengths and bytes), from zero if low >= 0. Logarithmic: 1, 2, 5 times powers of
/// ten, powers of ten, or powers of two. Throws Error(invalidArgument) unless low <= high, both finite, and
/// positive where logarithmic.
Axis makeAxis(double low, double high, AxisScale scale, Quantity quantity);

} // namespace linmu::report
