#include "models/report/line_chart.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace linmu::report {

const char *const chartStyle = R"(
svg.chart { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg.chart text { fill: var(--muted); }
svg.chart text.title { fill: var(--text); font-size: 15px; font-weight: 600; }
svg.chart text.name { fill: var(--text); }
svg.chart .grid { stroke: var(--grid); stroke-width: 1; }
svg.chart .axis { stroke: var(--muted); stroke-width: 1; }
svg.chart polyline { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg.chart .marker { stroke: var(--card); stroke-width: 1.5; }
.series-0 { stroke: var(--series-0); fill: var(--series-0); }
.series-1 { stroke: var(--series-1); fill: var(--series-1); }
.series-2 { stroke: var(--series-2); fill: var(--series-2); }
.series-3 { stroke: var(--series-3); fill: var(--series-3); }
.series-4 { stroke: var(--series-4); fill: var(--series-4); }
.series-5 { stroke: var(--series-5); fill: var(--series-5); }
)";

namespace {

constexpr std::size_t most_series = 6;
constexpr double width = 560, height = 372;
constexpr double legend_top = 42, legend_row = 20, right = 24, bottom = 54;
constexpr double character = 6.6; ///< mean advance of the font at 12 px

/// Plot area and axes: from values to pixels.
struct Canvas {
  Axis x, y;
  double left = 0, top = 0;

  double pixelX(double value) const { return left + x.position(value) * (width - right - left); }
  double pixelY(double value) const { return height - bottom - y.position(value) * (height - bottom - top); }
};

[[noreturn]] void fail(const LineChart &chart, const std::string &message) {
  throw Error(ErrorCode::invalidArgument, fmt::format("chart \"{}\": {}", chart.title, message));
}

void checkValue(const LineChart &chart, const ChartSeries &series, const ChartAxis &axis, double value) {
  const bool logarithmic = axis.scale == AxisScale::logarithmic;
  if (!std::isfinite(value) || (logarithmic && value <= 0))
    fail(chart, fmt::format("series \"{}\": expected {} values of \"{}\", found {:g}", series.name,
                            logarithmic ? "positive, finite" : "finite", axis.label, value));
}

/// Left end and middle line of each series' entry in the legend, in rows.
std::vector<std::pair<double, double>> legendPlaces(const LineChart &chart) {
  std::vector<std::pair<double, double>> places;
  double x = 14, y = legend_top;
  for (const ChartSeries &series : chart.series) {
    const double wide = 46 + character * series.name.size();
    if (!places.empty() && x + wide > width - right)
      x = 14, y += legend_row;
    places.emplace_back(x, y);
    x += wide;
  }
  return places;
}

Canvas layOut(const LineChart &chart) {
  if (chart.series.empty() || chart.series.size() > most_series)
    fail(chart, fmt::format("expected 1 to {} series, found {}", most_series, chart.series.size()));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double low_x = infinity, high_x = -infinity, low_y = infinity, high_y = -infinity;
  for (const ChartSeries &series : chart.series) {
    if (series.points.empty())
      fail(chart, fmt::format("series \"{}\": expected at least one point, found none", series.name));
    for (const auto &[x, y] : series.points) {
      checkValue(chart, series, chart.x, x);
      checkValue(chart, series, chart.y, y);
      low_x = std::min(low_x, x), high_x = std::max(high_x, x);
      low_y = std::min(low_y, y), high_y = std::max(high_y, y);
    }
  }
  // A logarithmic axis has no zero line to rest on: keep points off its floor.
  const double margin = chart.y.scale == AxisScale::logarithmic ? 1.2 : 1.0;
  Canvas canvas{.x = makeAxis(low_x, high_x, chart.x.scale, chart.x.quantity),
                .y = makeAxis(low_y / margin, high_y, chart.y.scale, chart.y.quantity)};
  std::size_t longest = 0;
  for (const AxisTick &tick : canvas.y.ticks)
    longest = std::max(longest, tick.label.size());
  canvas.left = 22 + character * longest;
  canvas.top = legendPlaces(chart).back().second + 42;
  return canvas;
}

std::string renderAxes(const LineChart &chart, const Canvas &canvas) {
  const double floor = height - bottom;
  std::string svg;
  for (const AxisTick &tick : canvas.y.ticks) {
    const double y = canvas.pixelY(tick.value);
    svg += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
                       "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
                       canvas.left, width - right, y, canvas.left - 8, y + 4, tick.label);
  }
  for (const AxisTick &tick : canvas.x.ticks) {
    const double x = canvas.pixelX(tick.value);
    svg += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
                       "<text x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"middle\">{4}</text>\n",
                       x, floor, floor + 5, floor + 19, tick.label);
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>\n",
                     canvas.left, width - right, floor);
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     (canvas.left + width - right) / 2, height - 14, escapeHtml(chart.x.label));
  // Above the axis, upright: a reader need not turn the head.
  svg += fmt::format("<text x=\"14\" y=\"{:.1f}\">{}</text>\n", canvas.top - 17, escapeHtml(chart.y.label));
  return svg;
}

/// A marker of its own shape for each series.
std::string renderMarker(std::size_t series, double x, double y, const std::string &tooltip) {
  static constexpr const char *outlines[] = {
      "M-4,0 a4,4 0 1,0 8,0 a4,4 0 1,0 -8,0z", "M-4,-4h8v8h-8z", "M0,-5L5,4H-5z",
      "M0,-5.5L5.5,0L0,5.5L-5.5,0z",           "M0,5L5,-4H-5z",  "M-2,-5h4v10h-4z"};
  return fmt::format(
      "<path class=\"marker series-{}\" transform=\"translate({:.1f},{:.1f})\" d=\"{}\">{}</path>\n", series,
      x, y, outlines[series], tooltip.empty() ? "" : "<title>" + escapeHtml(tooltip) + "</title>");
}

std::string renderSeries(const LineChart &chart, const Canvas &canvas, std::size_t index) {
  const ChartSeries &series = chart.series[index];
  std::string line, markers;
  for (const auto &[x, y] : series.points) {
    const double at_x = canvas.pixelX(x), at_y = canvas.pixelY(y);
    line += fmt::format("{}{:.1f},{:.1f}", line.empty() ? "" : " ", at_x, at_y);
    markers += renderMarker(index, at_x, at_y,
                            fmt::format("{}: {} at {}", series.name, formatQuantity(y, chart.y.quantity),
                                        formatQuantity(x, chart.x.quantity)));
  }
  return fmt::format("<polyline class=\"series-{}\" style=\"fill:none\" points=\"{}\"/>\n", index, line) +
         markers;
}

std::string renderLegend(const LineChart &chart) {
  std::string svg;
  const auto places = legendPlaces(chart);
  for (std::size_t index = 0; index < places.size(); ++index) {
    const auto [x, y] = places[index];
    svg += fmt::format("<line class=\"series-{0}\" stroke-width=\"2\" x1=\"{1:.1f}\" x2=\"{2:.1f}\" "
                       "y1=\"{3:.1f}\" y2=\"{3:.1f}\"/>",
                       index, x, x + 22, y);
    svg += renderMarker(index, x + 11, y, "");
    svg += fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 28, y + 4,
                       escapeHtml(chart.series[index].name));
  }
  return svg;
}

} // namespace

std::string escapeHtml(const std::string &text) {
  std::string escaped;
  for (char each : text) {
    switch (each) {
    case '&':
      escaped += "&amp;";
      break;
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    case '"':
      escaped += "&quot;";
      break;
    case '\'':
      escaped += "&#39;";
      break;
    default:
      escaped += each;
    }
  }
  return escaped;
}

std::string renderSvg(const LineChart &chart) {
  const Canvas canvas = layOut(chart);
  std::string svg =
      fmt::format("<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" "
                  "xmlns=\"http://www.w3.org/2000/svg\">\n",
                  width, height, escapeHtml(chart.title));
  svg += fmt::format("<text class=\"title\" x=\"14\" y=\"22\">{}</text>\n", escapeHtml(chart.title));
  svg += renderAxes(chart, canvas);
  for (std::size_t index = 0; index < chart.series.size(); ++index)
    svg += renderSeries(chart, canvas, index);
  return svg + renderLegend(chart) + "</svg>\n";
}

} // namespace linmu::report
