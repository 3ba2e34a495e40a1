// A text as the matches of a pattern and what lies between them, and the pieces that tokenizers make of both.
#pragma once
#include "models/text/utf8.h"
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

/// Bytes [begin, end) of a text.
struct TextRange {
  std::size_t begin, end;
  bool is_match;
};

/// What happens to the matches; `the-final--countdown` at `-`:
enum class SplitBehavior {
  removed,            ///< the, final, countdown
  isolated,           ///< the, -, final, -, -, countdown
  mergedWithPrevious, ///< the-, final-, -, countdown
  mergedWithNext,     ///< the, -final, -, -countdown
  contiguous          ///< the, -, final, --, countdown
};

/// The characters for which `holds`, one match each, and the runs between them; they cover `text`.
template <typename Predicate>
std::vector<TextRange> findCharacters(std::string_view text, Predicate &&holds) {
  std::vector<TextRange> ranges;
  std::size_t plain_begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    if (!holds(nextCodePoint(text, at)))
      continue;
    if (plain_begin < begin)
      ranges.push_back({plain_begin, begin, false});
    ranges.push_back({begin, at, true});
    plain_begin = at;
  }
  if (plain_begin < text.size())
    ranges.push_back({plain_begin, text.size(), false});
  return ranges;
}

/// The pieces that `behavior` makes of ranges that cover a text. Empty ranges, which patterns that match
/// nothing leave, count as the reference counts them.
std::vector<TextRange> applyBehavior(std::vector<TextRange> ranges, SplitBehavior behavior);

} // namespace linmu::models
