#include "compiler/target/cuda/emulation/Orderings.h"
#include <algorithm>
#include <array>
#include <cctype>

using namespace linmu::emulation;

static bool isNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// One behind the bracket that closes the one at `open`, or npos.
static std::size_t behindBrackets(std::string_view text, std::size_t open, char opening, char closing) {
  int depth = 0;
  for (std::size_t place = open; place < text.size(); ++place) {
    depth += text[place] == opening ? 1 : text[place] == closing ? -1 : 0;
    if (depth == 0)
      return place + 1;
  }
  return std::string_view::npos;
}

/// The end of a call that begins at `name`, behind its parentheses; npos if it is none or no statement.
static std::size_t endOfStatement(std::string_view text, std::size_t behindName) {
  std::size_t place = behindName;
  if (place < text.size() && text[place] == '<')
    place = behindBrackets(text, place, '<', '>');
  if (place >= text.size() || text[place] != '(')
    return std::string_view::npos;
  place = behindBrackets(text, place, '(', ')');
  return place < text.size() && text[place] == ';' ? place : std::string_view::npos;
}

std::vector<Ordering> linmu::emulation::orderingsIn(std::string_view text) {
  static constexpr std::array<std::string_view, 6> names = {
      "barrier", "barrier_arrive", "copy_commit", "copy_wait", "sync_warp", "fence_proxy_async"};
  std::vector<Ordering> found;
  int line = 1;
  for (std::size_t place = 0; place < text.size();) {
    if (!isNamePart(text[place])) {
      line += text[place] == '\n' ? 1 : 0;
      ++place;
      continue;
    }
    std::size_t end = place;
    while (end < text.size() && isNamePart(text[end]))
      ++end;
    if (std::find(names.begin(), names.end(), text.substr(place, end - place)) != names.end())
      if (std::size_t behind = endOfStatement(text, end); behind != std::string_view::npos)
        found.push_back({std::string(text.substr(place, behind - place)), line});
    place = end;
  }
  return found;
}

std::string linmu::emulation::withoutLineDirectives(std::string_view text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.starts_with("#line "))
      result += line;
    result += '\n';
    begin = end + 1;
  }
  return result;
}
