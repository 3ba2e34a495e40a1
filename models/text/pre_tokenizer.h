// Splitting text into the words that byte-pair encoding never merges across.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

/// GPT-2's pattern, which byte-level pre-tokenization uses where nothing else is stated.
extern const char *const gpt2Pattern;
/// Qwen2's pattern.
extern const char *const qwen2Pattern;

/// Applies regular expressions one after the other; each splits every piece that the one before left into
/// its matches and what lies between them. Copyable handle, safe to share between threads.
class PreTokenizer {
public:
  /// Patterns in ICU's syntax. `normalize` brings the text to Unicode's form NFC first. Throws
  /// Error(unsupported) naming a pattern that does not compile.
  PreTokenizer(std::vector<std::string> patterns, bool normalize);

  /// `text` is UTF-8; throws Error(invalidArgument) naming the byte if it is not.
  std::vector<std::string> split(std::string_view text) const;

private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Throws Error(invalidArgument) naming the first byte of `text` that is not part of valid UTF-8.
void requireUtf8(std::string_view text);

} // namespace linmu::models
