#include "models/report/html_report.h"
#include <fmt/format.h>

namespace linmu::report {
namespace {

constexpr const char *page_style = R"(
:root { color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --text: #1b1f27; --muted: #5d6675; --grid: #e4e7ec; --border: #dfe3e9;
  --notice: #fff6df; --notice-edge: #e0a512;
  --series-0: #2563eb; --series-1: #d9580d; --series-2: #0f8a5f; --series-3: #8b3fd9; --series-4: #be185d;
  --series-5: #64748b; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171c; --card: #1d2128; --text: #e8eaee; --muted: #a0a9b8; --grid: #2f353f; --border: #323944;
  --notice: #2e2817; --notice-edge: #d3a12b;
  --series-0: #74a7ff; --series-1: #ff9d5c; --series-2: #45cf9b; --series-3: #c391ff; --series-4: #f67fb1;
  --series-5: #9fb0c8; } }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 28px; line-height: 1.25; margin: 0 0 16px; }
h2 { font-size: 20px; margin: 36px 0 12px; }
p { max-width: 76ch; margin: 0 0 12px; }
.notice { background: var(--notice); border-left: 4px solid var(--notice-edge); border-radius: 4px;
  padding: 10px 14px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 16px;
  margin: 16px 0; }
.card { background: var(--card); border: 1px solid var(--border); border-radius: 8px; padding: 12px; }
.table { overflow-x: auto; margin: 16px 0; width: fit-content; max-width: 100%; box-sizing: border-box; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: var(--muted); font-weight: 600; border-bottom: 2px solid var(--border); }
tr + tr td { border-top: 1px solid var(--grid); }
)";

std::string element(const char *tag, const std::string &text) {
  return fmt::format("<{0}>{1}</{0}>", tag, escapeHtml(text));
}

} // namespace

void HtmlReport::addHeading(const std::string &text) { body_ += element("h2", text) + "\n"; }

void HtmlReport::addParagraph(const std::string &text) { body_ += element("p", text) + "\n"; }

void HtmlReport::addNotice(const std::string &text) {
  body_ += "<p class=\"notice\">" + escapeHtml(text) + "</p>\n";
}

void HtmlReport::addTable(const Table &table) {
  checkTable(table);
  std::string html = "<div class=\"card table\"><table>\n<thead><tr>";
  for (const std::string &title : table.header)
    html += element("th", title);
  html += "</tr></thead>\n<tbody>\n";
  for (const auto &row : table.rows) {
    html += "<tr>";
    for (const std::string &cell : row)
      html += element("td", cell);
    html += "</tr>\n";
  }
  body_ += html + "</tbody></table></div>\n";
}

void HtmlReport::addCharts(const std::vector<LineChart> &charts) {
  std::string html = "<div class=\"charts\">\n";
  for (const LineChart &chart : charts)
    html += "<div class=\"card\">" + renderSvg(chart) + "</div>\n";
  body_ += html + "</div>\n";
}

std::string HtmlReport::html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}{2}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n{3}</main>\n"
      "</body>\n</html>\n",
      escapeHtml(title_), page_style, chartStyle, body_);
}

void HtmlReport::write(const std::filesystem::path &path) const {
  AtomicFile file(path);
  write(file);
}

void HtmlReport::write(AtomicFile &file) const {
  std::string text = html();
  file.write(text.data(), text.size());
  file.commit();
}

} // namespace linmu::report
