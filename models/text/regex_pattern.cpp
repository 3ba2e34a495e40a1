// Widening the classes of a pattern by characters that the library does not know yet.
#include "models/text/regex.h"
#include "models/text/unicode_additions.h"
#include <cctype>
#include <fmt/format.h>
#include <functional>
#include <string_view>
#include <utility>

namespace linmu::models {
namespace {

using Holds = std::function<bool(const AddedCharacters &)>;

std::string rangesOf(const Holds &holds) {
  std::string ranges;
  for (const AddedCharacters &each : charactersAddedSinceUnicode14())
    if (holds(each))
      ranges += each.first == each.last ? fmt::format("\\x{{{:X}}}", std::uint32_t(each.first))
                                        : fmt::format("\\x{{{:X}}}-\\x{{{:X}}}", std::uint32_t(each.first),
                                                      std::uint32_t(each.last));
  return ranges;
}

/// Property names are compared without case, spaces, hyphens and underscores.
std::string canonicalName(std::string_view name) {
  std::string canonical;
  for (char each : name)
    if (each != ' ' && each != '-' && each != '_')
      canonical.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(each))));
  return canonical;
}

/// The short form of a general category's name, e.g. "lu" or "l"; other names as they are.
std::string shortCategory(const std::string &name) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {{"letter", "l"},
                                                                            {"uppercaseletter", "lu"},
                                                                            {"lowercaseletter", "ll"},
                                                                            {"titlecaseletter", "lt"},
                                                                            {"modifierletter", "lm"},
                                                                            {"otherletter", "lo"},
                                                                            {"mark", "m"},
                                                                            {"combiningmark", "m"},
                                                                            {"nonspacingmark", "mn"},
                                                                            {"spacingmark", "mc"},
                                                                            {"enclosingmark", "me"},
                                                                            {"number", "n"},
                                                                            {"decimalnumber", "nd"},
                                                                            {"letternumber", "nl"},
                                                                            {"othernumber", "no"},
                                                                            {"punctuation", "p"},
                                                                            {"punct", "p"},
                                                                            {"dashpunctuation", "pd"},
                                                                            {"otherpunctuation", "po"},
                                                                            {"symbol", "s"},
                                                                            {"mathsymbol", "sm"},
                                                                            {"othersymbol", "so"},
                                                                            {"other", "c"},
                                                                            {"unassigned", "cn"}};
  for (const auto &[long_name, short_name] : names)
    if (name == long_name)
      return std::string(short_name);
  return name;
}

bool isWord(const AddedCharacters &each) {
  std::string_view category = each.category;
  return each.alphabetic || category[0] == 'M' || category == "Nd" || category == "Pc";
}

/// Which of the added characters a property or a POSIX class holds, by its canonical name; `alnum` and the
/// like are names of both.
Holds membersOf(const std::string &name) {
  auto category = [](char major) { return [major](const auto &each) { return each.category[0] == major; }; };
  if (name == "alpha" || name == "alphabetic")
    return [](const auto &each) { return each.alphabetic; };
  if (name == "alnum")
    return [](const auto &each) { return each.alphabetic || std::string_view(each.category) == "Nd"; };
  if (name == "word")
    return isWord;
  if (name == "digit")
    return membersOf("nd");
  if (name == "upper" || name == "uppercase")
    return membersOf("lu");
  if (name == "lower" || name == "lowercase") // with the modifier letters of Cyrillic
    return [](const auto &each) {
      return std::string_view(each.category) == "Ll" ||
             (std::string_view(each.category) == "Lm" && std::string_view(each.script) == "cyrillic");
    };
  if (name == "graph" || name == "print" || name == "assigned")
    return [](const auto &) { return true; };
  if (name.size() == 1)
    return category(static_cast<char>(std::toupper(static_cast<unsigned char>(name[0]))));
  return [name](const auto &each) { return canonicalName(each.category) == name || each.script == name; };
}

/// Characters that had been there and became alphabetic.
std::string alphabeticSince(const std::string &name) {
  bool holds = name == "alpha" || name == "alphabetic" || name == "alnum";
  return holds ? "\\x{363}-\\x{36F}\\x{1DD3}-\\x{1DE6}" : "";
}

class Widener {
public:
  explicit Widener(std::string_view pattern) : rest_(pattern) {}

  std::string run() {
    int depth = 0; // of brackets
    while (!rest_.empty()) {
      if (rest_[0] == '\\' && rest_.size() > 1)
        escape(depth > 0);
      else if (depth == 0 && rest_.starts_with("(?#"))
        copy(std::min(rest_.find(')'), rest_.size() - 1) + 1);
      else if (depth > 0 && rest_.starts_with("[:") && posixBracket())
        continue;
      else if (rest_[0] == '[') {
        ++depth;
        copy(rest_.starts_with("[^") ? 2 : 1);
        if (rest_.starts_with("]") && rest_.find(']', 1) != rest_.npos)
          copy(1); // a bracket that comes first stands for itself
      } else {
        depth -= depth > 0 && rest_[0] == ']';
        copy(1);
      }
    }
    return std::move(result_);
  }

private:
  void copy(std::size_t count) {
    result_ += rest_.substr(0, count);
    rest_.remove_prefix(std::min(count, rest_.size()));
  }

  /// Replaces the first `length` bytes by a class that holds what `plain` and `ranges` hold, or all else.
  void replace(std::size_t length, std::string_view plain, const std::string &ranges, bool negated) {
    result_ += fmt::format("[{}{}{}]", negated ? "^" : "", plain, ranges);
    rest_.remove_prefix(length);
  }

  void escape(bool in_class) {
    char kind = rest_[1];
    if ((kind == 'p' || kind == 'P') && property())
      return;
    bool is_word = kind == 'w' || kind == 'W', is_digit = kind == 'd' || kind == 'D';
    std::string ranges = is_digit ? rangesOf(membersOf("nd")) : rangesOf(isWord);
    bool negated = kind == 'W' || kind == 'D';
    if ((is_word || is_digit) && in_class)
      return replace(2, is_word ? "\\w" : "\\d", ranges, negated);
    // Outside of brackets these hold a few characters of Latin-1 that they do not hold inside.
    std::string either = fmt::format("\\{}|[{}]", is_digit ? 'd' : 'w', ranges);
    if (is_word || is_digit)
      result_ += negated ? fmt::format("(?:(?![{}]){})", ranges, rest_.substr(0, 2)) : "(?:" + either + ")";
    else if (kind == 'b' && !in_class)
      result_ += fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", either);
    else if (kind == 'B' && !in_class)
      result_ += fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", either);
    else
      return copy(2);
    rest_.remove_prefix(2);
  }

  /// `\p{Name}`, `\p{^Name}` or `\P{Name}`.
  bool property() {
    std::size_t close = rest_.find('}');
    if (rest_.size() < 4 || rest_[2] != '{' || close == rest_.npos)
      return false;
    std::string_view inner = rest_.substr(3, close - 3);
    bool negated = (rest_[1] == 'P') != inner.starts_with('^');
    if (inner.starts_with('^'))
      inner.remove_prefix(1);
    std::string name = shortCategory(canonicalName(inner)), plain = fmt::format("\\p{{{}}}", inner);
    if (name == "c" || name == "cn") {
      // These lose what the others gain.
      std::string ranges = rangesOf([](const auto &) { return true; });
      if (negated)
        replace(close + 1, fmt::format("\\P{{{}}}", inner), ranges, false);
      else
        replace(close + 1, plain, "&&[^" + ranges + "]", false);
      return true;
    }
    std::string ranges = rangesOf(membersOf(name));
    if (ranges.empty())
      return false;
    replace(close + 1, plain, ranges + alphabeticSince(name), negated);
    return true;
  }

  /// `[:name:]` or `[:^name:]` inside a class.
  bool posixBracket() {
    std::size_t close = rest_.find(":]");
    if (close == rest_.npos)
      return false;
    std::string_view inner = rest_.substr(2, close - 2);
    bool negated = inner.starts_with('^');
    if (negated)
      inner.remove_prefix(1);
    for (char each : inner)
      if (!std::islower(static_cast<unsigned char>(each)))
        return false;
    std::string ranges = rangesOf(membersOf(std::string(inner)));
    if (inner == "punct") // newer versions of the library count symbols, as POSIX does
      replace(close + 2, "[:punct:]\\p{S}", rangesOf(membersOf("p")) + rangesOf(membersOf("s")), negated);
    else if (ranges.empty())
      copy(close + 2);
    else
      replace(close + 2, fmt::format("[:{}:]", inner), ranges + alphabeticSince(std::string(inner)), negated);
    return true;
  }

  std::string_view rest_;
  std::string result_;
};

/// `(?W)`, `(?D)`, `(?P)` and `(?y{...})` take `\w`, `\d` or all classes as ASCII's, or change boundaries.
bool asksForOtherClasses(std::string_view pattern) {
  for (std::size_t at = pattern.find("(?"); at != pattern.npos; at = pattern.find("(?", at + 2)) {
    std::size_t end = pattern.find_first_not_of("imxWDSPaCILy-", at + 2);
    if (end != pattern.npos && (pattern[end] == ')' || pattern[end] == ':' || pattern[end] == '{') &&
        pattern.substr(at, end - at).find_first_of("WDSPay") != pattern.npos)
      return true;
  }
  return false;
}

} // namespace

std::string withAddedCharacters(const std::string &pattern) {
  return asksForOtherClasses(pattern) ? pattern : Widener(pattern).run();
}

} // namespace linmu::models
