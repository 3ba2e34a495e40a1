// Charts, pages, tables and the progress bar.
#include "models/report/html_report.h"
#include "models/report/progress_bar.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temporary_folder.h"
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <limits>

namespace linmu::report {
namespace {

using test::expectError;

std::vector<std::string> labels(double low, double high, AxisScale scale, Quantity quantity) {
  std::vector<std::string> result;
  for (const AxisTick &tick : makeAxis(low, high, scale, quantity).ticks)
    result.push_back(tick.label);
  return result;
}

using Labels = std::vector<std::string>;

TEST(FormatQuantity, hasThreeDigitsAndItsUnit) {
  EXPECT_EQ(formatQuantity(0.0125, Quantity::duration), "12.5 ms");
  EXPECT_EQ(formatQuantity(0.00025, Quantity::duration), "250 us");
  EXPECT_EQ(formatQuantity(0.9999, Quantity::duration), "1.00 s") << "not 1000 ms";
  EXPECT_EQ(formatQuantity(83.456, Quantity::duration), "83.5 s");
  EXPECT_EQ(formatQuantity(45.0 * (1 << 20), Quantity::bytes), "45.0 MiB");
  EXPECT_EQ(formatQuantity(512, Quantity::bytes), "512 B");
  EXPECT_EQ(formatQuantity(32768, Quantity::length), "32K");
  EXPECT_EQ(formatQuantity(10000, Quantity::length), "10,000");
  EXPECT_EQ(formatQuantity(46.31, Quantity::number), "46.3");
  EXPECT_EQ(formatQuantity(999.7, Quantity::number), "1.00k");
  EXPECT_EQ(formatQuantity(12, Quantity::number), "12");
  EXPECT_EQ(formatQuantity(-2.5e6, Quantity::number), "-2.50M");
  EXPECT_EQ(formatQuantity(0, Quantity::bytes), "0");
}

TEST(MakeAxis, linearTicksAreRoundAndStartAtZero) {
  EXPECT_EQ(labels(4.6, 46.3, AxisScale::linear, Quantity::number),
            (Labels{"0", "10", "20", "30", "40", "50"}));
  EXPECT_EQ(labels(512, 32768, AxisScale::linear, Quantity::length),
            (Labels{"0", "8K", "16K", "24K", "32K"}));
  EXPECT_EQ(labels(-7.5, 50, AxisScale::linear, Quantity::number),
            (Labels{"-10", "0", "10", "20", "30", "40", "50"}));
}

TEST(MakeAxis, logarithmicTicksArePowersThatEncloseTheValues) {
  EXPECT_EQ(labels(512, 8192, AxisScale::logarithmic, Quantity::length),
            (Labels{"512", "1K", "2K", "4K", "8K"}));
  EXPECT_EQ(labels(0.6, 370, AxisScale::logarithmic, Quantity::duration),
            (Labels{"100 ms", "1 s", "10 s", "100 s", "1000 s"}));
  EXPECT_EQ(labels(0.012, 0.3, AxisScale::logarithmic, Quantity::duration),
            (Labels{"10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms"}));
  EXPECT_EQ(labels(7, 7, AxisScale::logarithmic, Quantity::number), (Labels{"2", "5", "10", "20"}));
}

TEST(MakeAxis, everyRangeIsEnclosedByTwoToTenTicks) {
  for (AxisScale scale : {AxisScale::linear, AxisScale::logarithmic})
    for (Quantity quantity : {Quantity::number, Quantity::length, Quantity::bytes, Quantity::duration})
      for (double low = 1e-7; low < 1e9; low *= 7.3)
        for (double ratio : {1.0, 1.01, 1.9, 37.0, 4e5, 1e12}) {
          const Axis axis = makeAxis(low, low * ratio, scale, quantity);
          SCOPED_TRACE(testing::Message() << low << " to " << low * ratio << ", quantity " << int(quantity));
          EXPECT_GE(axis.ticks.size(), 2u);
          EXPECT_LE(axis.ticks.size(), 10u);
          EXPECT_GE(axis.position(low), -1e-9);
          EXPECT_LE(axis.position(low * ratio), 1 + 1e-9);
          EXPECT_EQ(axis.position(axis.ticks.front().value), 0.0);
          EXPECT_EQ(axis.position(axis.ticks.back().value), 1.0);
        }
}

TEST(MakeAxis, refusesLimitsThatAreNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expectError(ErrorCode::invalidArgument,
              {"an axis: expected positive, finite, ascending limits, found 0 and 5"},
              [] { makeAxis(0, 5, AxisScale::logarithmic, Quantity::number); });
  expectError(ErrorCode::invalidArgument, {"finite", "nan"},
              [&] { makeAxis(nan, 5, AxisScale::linear, Quantity::number); });
  expectError(ErrorCode::invalidArgument, {"an axis: expected finite, ascending limits, found 6 and 5"},
              [] { makeAxis(6, 5, AxisScale::linear, Quantity::number); });
}

LineChart exampleChart() {
  return {.title = "Time <to> first \"token\"",
          .x = {"tokens", AxisScale::logarithmic, Quantity::length},
          .y = {"time", AxisScale::logarithmic, Quantity::duration},
          .series = {{"teacher & co", {{512, 0.5}, {1024, 1.5}}}, {"LinMU", {{512, 0.6}, {1024, 1.2}}}}};
}

std::size_t count(const std::string &text, const std::string &part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(RenderSvg, holdsEverySeriesPointAndTooltipEscaped) {
  const std::string svg = renderSvg(exampleChart());
  EXPECT_EQ(count(svg, "<polyline"), 2u);
  EXPECT_EQ(count(svg, "<title>"), 4u);
  EXPECT_EQ(count(svg, "class=\"marker"), 6u) << "four points and two legend entries";
  EXPECT_EQ(count(svg, "<title>teacher &amp; co: 500 ms at 512</title>"), 1u);
  EXPECT_EQ(count(svg, "Time &lt;to&gt; first &quot;token&quot;"), 2u);
  EXPECT_EQ(count(svg, "<to>"), 0u);
  EXPECT_EQ(count(svg, "nan"), 0u);
}

TEST(RenderSvg, placesPointsOnTheirScale) {
  LineChart chart = exampleChart();
  chart.series = {{"one", {{1024, 0.1}, {2048, 1}, {4096, 10}}}};
  const std::string svg = renderSvg(chart);
  const std::size_t start = svg.find("points=\"") + 8;
  double x[3], y[3];
  ASSERT_EQ(
      std::sscanf(svg.c_str() + start, "%lf,%lf %lf,%lf %lf,%lf", &x[0], &y[0], &x[1], &y[1], &x[2], &y[2]),
      6);
  // Coordinates are written to a tenth of a pixel.
  EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.21);
  EXPECT_NEAR(y[0] - y[1], y[1] - y[2], 0.21);
  EXPECT_GT(y[0], y[1]) << "up is more";
}

TEST(RenderSvg, refusesWhatCannotBeDrawn) {
  LineChart chart = exampleChart();
  chart.series[1].points[1].second = 0;
  expectError(ErrorCode::invalidArgument,
              {": series \"LinMU\": expected positive, finite values of \"time\", found 0"},
              [&] { renderSvg(chart); });
  chart.series[1].points.clear();
  expectError(ErrorCode::invalidArgument, {"series \"LinMU\": expected at least one point, found none"},
              [&] { renderSvg(chart); });
  chart.series.clear();
  expectError(ErrorCode::invalidArgument, {"chart \"", "\": expected 1 to 6 series, found 0"},
              [&] { renderSvg(chart); });
  chart.series.assign(7, exampleChart().series[0]);
  expectError(ErrorCode::invalidArgument, {"1 to 6 series, found 7"}, [&] { renderSvg(chart); });
}

TEST(HtmlReport, isOnePageWithoutReferencesOutside) {
  HtmlReport report("A & B");
  report.addNotice("mind <this>");
  report.addCharts({exampleChart()});
  report.addHeading("Figures");
  report.addParagraph("text");
  report.addTable({.header = {"n", "time"}, .rows = {{"1", "<2>"}}});
  std::string html = report.html();
  EXPECT_EQ(count(html, "<title>A &amp; B</title>"), 1u);
  EXPECT_EQ(count(html, "<td>&lt;2&gt;</td>"), 1u);
  EXPECT_EQ(count(html, "mind &lt;this&gt;"), 1u);
  for (const char *element : {"svg", "table", "tr", "td", "th", "div", "p", "h2", "main", "style"}) {
    const std::string name = element;
    EXPECT_EQ(count(html, "<" + name + ">") + count(html, "<" + name + " "), count(html, "</" + name + ">"))
        << name;
  }
  EXPECT_EQ(count(html, "://"), 1u) << "the name space of SVG alone";
  EXPECT_EQ(count(html, "src=") + count(html, "href=") + count(html, "url("), 0u);
}

TEST(HtmlReport, replacesTheFileWholeOrNotAtAll) {
  test::TemporaryFolder folder;
  test::writeBytes(folder / "report.html", "old");
  HtmlReport report("new");
  report.write(folder / "report.html");
  EXPECT_EQ(test::readBytes(folder / "report.html"), report.html());

  std::filesystem::create_directory(folder / "taken.html");
  test::writeBytes(folder / "taken.html" / "file", "kept");
  expectError(ErrorCode::io, {"cannot write ", "taken.html: is a folder"},
              [&] { report.write(folder / "taken.html"); });
  expectError(ErrorCode::io, {"absent/report.html: there is no folder "},
              [&] { report.write(folder / "absent" / "report.html"); });
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2)
      << "no temporary is left";
}

TEST(FormatTable, alignsColumnsByCodePoints) {
  EXPECT_EQ(formatTable({.header = {"name", "µs"}, .rows = {{"a", "1"}, {"größer", "1000"}}}),
            "name      µs\n"
            "------  ----\n"
            "a          1\n"
            "größer  1000\n");
  expectError(ErrorCode::invalidArgument, {"row 1 of a table: expected 2 cells, found 1"},
              [] { formatTable({.header = {"a", "b"}, .rows = {{"1", "2"}, {"1"}}}); });
  expectError(ErrorCode::invalidArgument, {"a table: expected at least one column, found none"},
              [] { formatTable({}); });
}

/// What a progress bar prints, with a clock that the test sets.
class ProgressTest : public testing::Test {
protected:
  ProgressTest() : stream_(open_memstream(&buffer_, &size_)) {}
  ~ProgressTest() override {
    std::fclose(stream_);
    std::free(buffer_);
  }
  ProgressBar bar(bool in_place, int columns = 80) {
    return ProgressBar("Prefill", 200, {.stream = stream_, .in_place = in_place, .columns = columns},
                       [this] { return now_; });
  }
  std::string printed() {
    std::fflush(stream_);
    return std::string(buffer_, size_);
  }

  double now_ = 100;

private:
  char *buffer_ = nullptr;
  std::size_t size_ = 0;
  std::FILE *stream_;
};

TEST_F(ProgressTest, redrawsOneLineOfATerminalTenTimesASecond) {
  ProgressBar progress = bar(true);
  progress.update(0);
  now_ += 0.05;
  progress.update(50); // too soon
  now_ += 9.95;
  progress.update(100, "4,096 tokens");
  now_ += 65;
  progress.finish("done");
  progress.update(1);
  EXPECT_EQ(printed(), "\r\x1b[KPrefill [>                       ]   0%  0 s"
                       "\r\x1b[KPrefill [============>           ]  50%  10 s, about 10 s left  4,096 tokens"
                       "\r\x1b[KPrefill [========================] 100%  1 min 15 s  done\n");
}

TEST_F(ProgressTest, neverWrapsANarrowTerminal) {
  ProgressBar progress = bar(true, 20);
  progress.update(10, "a detail too long");
  EXPECT_EQ(printed(), "\r\x1b[KPrefill [=>        ");
  progress.finish();
}

TEST_F(ProgressTest, writesAFewPlainLinesToALog) {
  ProgressBar progress = bar(false);
  for (int done = 0; done <= 200; ++done, now_ += 0.01)
    progress.update(done);
  EXPECT_EQ(count(printed(), "\n"), 10u) << "0, 10, ... 90%";
  now_ = 200;
  progress.finish("done");
  const std::string text = printed();
  EXPECT_EQ(text.substr(0, text.find('\n')), "Prefill: 0%, 0 s");
  EXPECT_NE(text.find("Prefill: 100%, 1 min 40 s, done\n"), std::string::npos);
  EXPECT_EQ(count(text, "\r") + count(text, "\x1b"), 0u);
}

TEST_F(ProgressTest, aSlowStepStillShowsLifeInALog) {
  ProgressBar progress = bar(false);
  progress.update(1);
  now_ += 16;
  progress.update(2);
  EXPECT_EQ(printed(), "Prefill: 0%, 0 s\nPrefill: 1%, 16 s\n");
}

TEST_F(ProgressTest, endsTheLineWhenTheTaskFails) {
  try {
    ProgressBar progress = bar(true);
    progress.update(20);
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(printed().back(), '\n');
}

TEST_F(ProgressTest, refusesATotalThatIsNotPositive) {
  expectError(ErrorCode::invalidArgument, {"progress of \"empty\": expected a positive total, found 0"},
              [] { ProgressBar progress("empty", 0); });
}

} // namespace
} // namespace linmu::report
