#include "compiler/target/cuda/emulation/Orderings.h"
#include <algorithm>
#include <regex>

using namespace linmu::emulation;

/// One behind the parenthesis that closes the one at `open`.
static std::size_t behindParentheses(const std::string &text, std::size_t open) {
  int depth = 0;
  for (std::size_t place = open; place < text.size(); ++place) {
    depth += text[place] == '(' ? 1 : text[place] == ')' ? -1 : 0;
    if (depth == 0)
      return place + 1;
  }
  return std::string::npos;
}

std::vector<Removal> linmu::emulation::withoutEachOrdering(std::string_view kernel) {
  static const std::regex call(
      R"(\b(barrier|barrier_arrive|copy_commit|copy_wait<[^>]*>|sync_warp|fence_proxy_async)\s*\()");
  std::string text(kernel);
  std::vector<Removal> removals;
  for (std::sregex_iterator match(text.begin(), text.end(), call), end; match != end; ++match) {
    auto begin = static_cast<std::size_t>(match->position());
    std::size_t behind = behindParentheses(text, begin + static_cast<std::size_t>(match->length()) - 1);
    if (behind == std::string::npos || behind >= text.size() || text[behind] != ';')
      continue;
    std::string removed = text.substr(begin, behind - begin);
    std::string nothing = "(void)0"; // a statement, on as many lines
    nothing.append(static_cast<std::size_t>(std::count(removed.begin(), removed.end(), '\n')), '\n');
    std::string without = text.substr(0, begin) + nothing + text.substr(behind);
    int line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + match->position(), '\n'));
    removals.push_back({std::move(removed), line, std::move(without)});
  }
  return removals;
}
