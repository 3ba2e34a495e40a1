// Regular expressions in Oniguruma's syntax and meaning, with the characters of Unicode 16.
#pragma once
#include "models/text/split.h"
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

/// Copyable handle, safe to share between threads.
class Regex {
public:
  /// Throws Error(unsupported) quoting a pattern that does not compile.
  explicit Regex(const std::string &pattern);
  /// A pattern that matches `text` itself.
  static Regex literal(std::string_view text);

  /// The matches in UTF-8 `text` from left to right, and what lies between them; together they cover it. Each
  /// search sees the whole text, so that look-behind crosses the match before. A pattern may match nothing at
  /// a place, but not where the match before ended. Throws Error(invalidArgument) quoting the pattern if a
  /// search needs more steps than Oniguruma allows.
  std::vector<TextRange> findAll(std::string_view text) const;

private:
  struct Impl;
  Regex(const std::string &pattern, const std::string &compiled);
  std::shared_ptr<const Impl> impl_;
};

/// `pattern` with every class of characters widened by those that Unicode 15 to 16 added, so that it means
/// the same with an Oniguruma that does not know them: `\p{Lu}` becomes `[\p{Lu}\x{1C89}...]`. Known are
/// general categories, scripts, `\w`, `\d`, `\b` and POSIX brackets. A pattern that asks for ASCII's classes
/// with an option is left as it is.
std::string withAddedCharacters(const std::string &pattern);

} // namespace linmu::models
