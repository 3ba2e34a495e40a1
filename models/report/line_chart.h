// A line chart as inline SVG.
#pragma once
#include "models/report/axis.h"
#include <string>
#include <utility>
#include <vector>

namespace linmu::report {

struct ChartAxis {
  std::string label;
  AxisScale scale = AxisScale::linear;
  Quantity quantity = Quantity::number;
};

struct ChartSeries {
  std::string name;
  std::vector<std::pair<double, double>> points; ///< (x, y), joined in this order
};

/// One to six series, each of one point or more.
struct LineChart {
  std::string title;
  ChartAxis x;
  ChartAxis y;
  std::vector<ChartSeries> series;
};

/// An <svg> element. Colours are the page's custom properties (`chartStyle`), so it follows light and dark;
/// series differ by marker too. Each marker's tooltip holds its figures. Throws Error(invalidArgument) naming
/// the chart and the series for none or more than six series, a series without points, a value that is not
/// finite, and one that is not positive on a logarithmic axis.
std::string renderSvg(const LineChart &chart);

/// The style sheet that renderSvg's element needs, once a page.
extern const char *const chartStyle;

/// `text` with &, <, >, " and ' as entities.
std::string escapeHtml(const std::string &text);

} // namespace linmu::report
