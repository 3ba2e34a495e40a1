// Regular expressions in Oniguruma's syntax and meaning, with the characters of Unicode 16
// (Oniguruma 6.9.10).
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
  std::shared_ptr<const Impl> impl_;
};

} // namespace linmu::models
