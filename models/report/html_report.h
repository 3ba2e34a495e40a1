// A page of text, tables and charts in one HTML file that needs nothing else.
#pragma once
#include "models/report/line_chart.h"
#include "models/report/table.h"
#include "runtime/io/atomic_file.h"
#include <filesystem>
#include <string>
#include <vector>

namespace linmu::report {

/// Parts appear in the order they are added. All text is escaped. Errors of charts and tables are raised when
/// they are added.
class HtmlReport {
public:
  explicit HtmlReport(std::string title) : title_(std::move(title)) {}

  void addHeading(const std::string &text);
  void addParagraph(const std::string &text);

  /// A paragraph set off from the others: what a reader must know to read the figures.
  void addNotice(const std::string &text);

  void addTable(const Table &table);

  /// Side by side where the page is wide enough.
  void addCharts(const std::vector<LineChart> &charts);

  std::string html() const;

  /// Written as AtomicFile does, so that a reader never sees half a page. Throws Error(io) naming the path
  /// and the reason; then nothing new is left.
  void write(const std::filesystem::path &path) const;
  /// The same into a file that was checked before the work, and commits it.
  void write(AtomicFile &file) const;

private:
  std::string title_;
  std::string body_;
};

} // namespace linmu::report
