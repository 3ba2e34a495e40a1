#include "models/report/table.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::report {
namespace {

std::size_t widthOf(const std::string &text) {
  return std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xC0) != 0x80; });
}

} // namespace

void checkTable(const Table &table) {
  if (table.header.empty())
    throw Error(ErrorCode::invalidArgument, "a table: expected at least one column, found none");
  for (std::size_t row = 0; row < table.rows.size(); ++row)
    if (table.rows[row].size() != table.header.size())
      throw Error(ErrorCode::invalidArgument, fmt::format("row {} of a table: expected {} cells, found {}",
                                                          row, table.header.size(), table.rows[row].size()));
}

std::string formatTable(const Table &table) {
  checkTable(table);
  std::vector<std::size_t> widths;
  widths.reserve(table.header.size());
  for (const std::string &title : table.header)
    widths.push_back(widthOf(title));
  for (const auto &row : table.rows)
    for (std::size_t column = 0; column < widths.size(); ++column)
      widths[column] = std::max(widths[column], widthOf(row[column]));

  std::string text;
  const auto append = [&](const std::vector<std::string> &cells) {
    std::string line;
    for (std::size_t column = 0; column < widths.size(); ++column) {
      const std::string padding(widths[column] - widthOf(cells[column]), ' ');
      line += (column ? "  " : "") + (column ? padding + cells[column] : cells[column] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  append(table.header);
  std::vector<std::string> rule;
  rule.reserve(widths.size());
  for (std::size_t width : widths)
    rule.emplace_back(width, '-');
  append(rule);
  for (const auto &row : table.rows)
    append(row);
  return text;
}

} // namespace linmu::report
