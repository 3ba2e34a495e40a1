#include "distill/run_report.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace linmu::distill {

using nlohmann::json;
using report::ChartSeries;
using report::LineChart;

namespace {

constexpr std::size_t most_points = 100; ///< of a curve; each has a marker
constexpr std::size_t edge = 10;         ///< steps whose mean is a stage's loss at its beginning or end

using Points = std::vector<std::pair<double, double>>;

/// What is not finite is null in the log, and no point.
Points pointsOf(const std::vector<json> &log, const char *key) {
  Points points;
  for (const json &line : log)
    if (line.contains(key) && line[key].is_number())
      points.emplace_back(line["step"].get<double>(), line[key].get<double>());
  return points;
}

/// Means of runs of neighbours, so many that the curve can be seen.
Points thinned(const Points &points) {
  const std::size_t width = (points.size() + most_points - 1) / most_points;
  Points thin;
  for (std::size_t first = 0; first < points.size(); first += width) {
    const std::size_t count = std::min(width, points.size() - first);
    double x = 0, y = 0;
    for (std::size_t i = first; i < first + count; ++i)
      x += points[i].first, y += points[i].second;
    thin.emplace_back(x / double(count), y / double(count));
  }
  return thin;
}

/// Series that have points, of which some value is not 0; losses fall over decades.
void addChart(std::vector<LineChart> &charts, const std::string &title, const std::string &unit,
              const std::vector<std::pair<const char *, const char *>> &keys, const std::vector<json> &log) {
  LineChart chart{.title = title, .x = {.label = "step"}, .y = {.label = unit}, .series = {}};
  bool positive = true;
  for (const auto &[key, name] : keys) {
    ChartSeries series{name, thinned(pointsOf(log, key))};
    if (std::ranges::all_of(series.points, [](const auto &point) { return point.second == 0; }))
      continue;
    for (const auto &[x, y] : series.points)
      positive = positive && y > 0;
    chart.series.push_back(std::move(series));
  }
  if (chart.series.empty())
    return;
  if (positive)
    chart.y.scale = report::AxisScale::logarithmic;
  charts.push_back(std::move(chart));
}

double meanOf(std::span<const double> values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return sum / double(values.size());
}

std::string figure(const std::optional<double> &value) { return value ? fmt::format("{:.4g}", *value) : "-"; }

std::string arrow(const std::optional<double> &before, const std::optional<double> &after) {
  return figure(before) + " \xe2\x86\x92 " + figure(after);
}

/// The last value of `key` at or before `step`.
std::optional<double> latest(const std::vector<json> &log, const char *key, std::int64_t step) {
  std::optional<double> value;
  for (const json &line : log)
    if (line["step"] <= step && line.contains(key) && line[key].is_number())
      value = line[key].get<double>();
  return value;
}

/// A row a stage: each loss as a mean of its first and of its last steps, each validation before and after.
report::Table stageTable(const Recipe &recipe, const std::vector<json> &log) {
  const bool distills = recipe.kind == RecipeKind::distill;
  report::Table table{{"stage", "steps", "loss"}, {}};
  const std::vector<std::pair<const char *, double LossTerms::*>> terms = {
      {"hidden", &LossTerms::hidden},
      {"token", &LossTerms::token},
      {"sequence", &LossTerms::sequence},
      {"supervised", &LossTerms::supervised}};
  if (distills)
    for (const auto &[key, weight] : terms)
      table.header.push_back(key);
  if (recipe.validation && distills)
    table.header.push_back("KL to the teacher");
  if (recipe.validation)
    table.header.push_back("-log p of the answers");
  std::int64_t begin = 0;
  for (const Stage &stage : recipe.stages) {
    const std::int64_t end = begin + stage.steps;
    auto ofSteps = [&](const char *key) {
      std::vector<double> values;
      for (const json &line : log)
        if (line.contains(key) && line[key].is_number() && line["step"] > begin && line["step"] <= end)
          values.push_back(line[key].get<double>());
      if (values.empty())
        return std::string("-");
      const std::size_t count = std::min(edge, (values.size() + 1) / 2);
      const std::span<const double> all(values);
      return arrow(meanOf(all.first(count)), meanOf(all.last(count)));
    };
    std::vector<std::string> row = {stage.name, fmt::format("{}", stage.steps), ofSteps("loss")};
    if (distills)
      for (const auto &[key, weight] : terms)
        row.push_back(stage.objective.weights.*weight == 0 ? "-" : ofSteps(key));
    if (recipe.validation && distills)
      row.push_back(arrow(latest(log, "divergence", begin), latest(log, "divergence", end)));
    if (recipe.validation)
      row.push_back(arrow(latest(log, "likelihood", begin), latest(log, "likelihood", end)));
    table.rows.push_back(std::move(row));
    begin = end;
  }
  return table;
}

} // namespace

report::HtmlReport runReport(const Recipe &recipe, const std::vector<json> &log,
                             const std::vector<AnsweredSample> &samples, const RunSpeed &speed) {
  const bool distills = recipe.kind == RecipeKind::distill;
  report::HtmlReport page(distills ? "Distillation of " + recipe.text.value("teacher", std::string())
                                   : "Training of " + (recipe.preset.empty()
                                                           ? recipe.text.value("model", std::string())
                                                           : "the preset " + recipe.preset));
  page.addParagraph(fmt::format("Seed {}, {} samples a step{}.", recipe.seed,
                                recipe.batch * recipe.accumulate,
                                recipe.precision == Precision::bf16 ? ", products in bf16" : ""));
  if (speed.steps > 0)
    page.addParagraph(fmt::format("The last process made {} steps at {} tokens/s{}; peak memory {}.",
                                  speed.steps,
                                  report::formatQuantity(double(speed.tokens) / std::max(speed.seconds, 1e-9),
                                                         report::Quantity::number),
                                  speed.ranks > 1 ? fmt::format(" over {} ranks", speed.ranks) : "",
                                  report::formatQuantity(speed.peak_memory, report::Quantity::bytes)));
  page.addHeading("Stages");
  page.addParagraph(
      fmt::format("Losses: the mean of the first and of the last {} steps of a stage, or of half "
                  "of them where it has fewer.{}",
                  edge, recipe.validation ? " Held-out data: before the stage and after it." : ""));
  page.addTable(stageTable(recipe, log));
  std::int64_t skipped =
      std::ranges::count_if(log, [](const json &line) { return line.contains("skipped"); });
  if (skipped > 0)
    page.addNotice(fmt::format("{} steps were skipped, as a gradient was not finite.", skipped));
  std::vector<LineChart> charts;
  addChart(charts, "Losses", "mean over the tokens of a step",
           {{"loss", "weighted sum"},
            {"hidden", "hidden"},
            {"token", "token"},
            {"sequence", "sequence"},
            {"supervised", "supervised"}},
           log);
  addChart(charts, "Held-out data", "mean over the tokens of answers",
           {{"divergence", "KL to the teacher"}, {"likelihood", "-log p of the answers"}}, log);
  addChart(charts, "Learning rate", "of the step", {{"learning_rate", "learning rate"}}, log);
  addChart(charts, "Gradients", "norm before clipping", {{"gradient_norm", "norm"}}, log);
  if (!charts.empty()) {
    page.addHeading("Curves");
    page.addCharts(charts);
  }
  if (!samples.empty()) {
    page.addHeading("Samples");
    page.addParagraph(fmt::format("Of the {} data, the likeliest token each time.",
                                  recipe.validation ? "held-out" : "training"));
    report::Table table{{"question", "expected"}, {}};
    if (distills)
      table.header.push_back("teacher");
    table.header.push_back(distills ? "student" : "model");
    for (const AnsweredSample &sample : samples) {
      std::vector<std::string> row = {sample.question, sample.expected, sample.student};
      if (distills)
        row.insert(row.begin() + 2, sample.teacher);
      table.rows.push_back(std::move(row));
    }
    page.addTable(table);
  }
  return page;
}

} // namespace linmu::distill
