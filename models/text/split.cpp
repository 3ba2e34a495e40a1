#include "models/text/split.h"
#include <algorithm>

namespace linmu::models {
namespace {

/// Each range joins the one before it where `joins(is_match, previous_is_match)` says so. `previous_is_match`
/// is false at the start.
template <typename Joins>
std::vector<TextRange> fold(const std::vector<TextRange> &ranges, bool backwards, Joins &&joins) {
  std::vector<TextRange> pieces;
  bool previous = false;
  for (const TextRange &range : ranges) {
    if (joins(range.is_match, previous) && !pieces.empty())
      (backwards ? pieces.back().begin : pieces.back().end) = backwards ? range.begin : range.end;
    else
      pieces.push_back(range);
    previous = range.is_match;
  }
  return pieces;
}

} // namespace

std::vector<TextRange> applyBehavior(std::vector<TextRange> ranges, SplitBehavior behavior) {
  auto matchAfterText = [](bool is_match, bool previous) { return is_match && !previous; };
  switch (behavior) {
  case SplitBehavior::isolated:
    break;
  case SplitBehavior::removed:
    std::erase_if(ranges, [](const TextRange &range) { return range.is_match; });
    break;
  case SplitBehavior::contiguous:
    return fold(ranges, false, [](bool is_match, bool previous) { return is_match == previous; });
  case SplitBehavior::mergedWithPrevious:
    return fold(ranges, false, matchAfterText);
  case SplitBehavior::mergedWithNext:
    std::ranges::reverse(ranges);
    ranges = fold(ranges, true, matchAfterText);
    std::ranges::reverse(ranges);
    break;
  }
  return ranges;
}

} // namespace linmu::models
