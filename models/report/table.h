// A table of text, for a terminal or a page.
#pragma once
#include <string>
#include <vector>

namespace linmu::report {

/// The first column is aligned left, the others, which hold figures, right.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows; ///< each of the header's length
};

/// Throws Error(invalidArgument) naming the first row whose number of cells differs from the header's, or for
/// a table without columns.
void checkTable(const Table &table);

/// Lines of columns padded to their widest cell, two spaces apart, a rule below the header, each line ended
/// by a line break and free of trailing spaces. Widths count UTF-8 code points. Errors as in checkTable.
std::string formatTable(const Table &table);

} // namespace linmu::report
