#include "models/text/pre_tokenizer.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>
#include <unicode/normalizer2.h>
#include <unicode/regex.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace linmu::models {

const char *const gpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char *const qwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct PreTokenizer::Impl {
  std::vector<std::unique_ptr<icu::RegexPattern>> patterns;
  bool normalize = false;
};

namespace {

void check(UErrorCode status, const char *what) {
  if (U_FAILURE(status))
    throw Error(ErrorCode::invalidArgument, fmt::format("{} failed: {}", what, u_errorName(status)));
}

/// Appends the pieces of `piece`: matches, and what lies between them.
void splitPiece(const icu::RegexPattern &pattern, const icu::UnicodeString &piece,
                std::vector<icu::UnicodeString> &pieces) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::RegexMatcher> matcher(pattern.matcher(piece, status));
  // ICU's default of 8 MB ends at words of some 200,000 letters; what a text can need is linear in it.
  matcher->setStackLimit(0, status);
  check(status, "splitting text");
  std::int32_t end = 0;
  while (matcher->find(status)) {
    std::int32_t begin = matcher->start(status), match_end = matcher->end(status);
    if (begin > end)
      pieces.emplace_back(piece, end, begin - end);
    if (match_end > begin)
      pieces.emplace_back(piece, begin, match_end - begin);
    end = match_end;
  }
  check(status, "splitting text");
  if (end < piece.length())
    pieces.emplace_back(piece, end, piece.length() - end);
}

} // namespace

void requireUtf8(std::string_view text) {
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(text.data());
  auto length = static_cast<std::int64_t>(text.size());
  if (length > INT32_MAX)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("a text must be at most 2^31 - 1 bytes, got {}", length));
  for (std::int32_t next = 0, size = static_cast<std::int32_t>(length); next < size;) {
    std::int32_t begin = next;
    UChar32 code_point;
    U8_NEXT(bytes, next, size, code_point);
    if (code_point < 0)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("text must be UTF-8; byte {} (0x{:02x}) is not", begin, bytes[begin]));
  }
}

PreTokenizer::PreTokenizer(std::vector<std::string> patterns, bool normalize) {
  auto impl = std::make_shared<Impl>();
  impl->normalize = normalize;
  for (const std::string &pattern : patterns) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    impl->patterns.emplace_back(
        icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(pattern), where, status));
    if (U_FAILURE(status))
      throw Error(ErrorCode::unsupported,
                  fmt::format("the pre-tokenizer's pattern '{}' does not compile: {} at {}", pattern,
                              u_errorName(status), where.offset));
  }
  impl_ = std::move(impl);
}

std::vector<std::string> PreTokenizer::split(std::string_view text) const {
  requireUtf8(text);
  icu::UnicodeString whole =
      icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  UErrorCode status = U_ZERO_ERROR;
  if (impl_->normalize) {
    const icu::Normalizer2 *form = icu::Normalizer2::getNFCInstance(status);
    check(status, "loading Unicode's normal forms");
    whole = form->normalize(whole, status);
    check(status, "normalising text");
  }
  std::vector<icu::UnicodeString> pieces;
  if (!whole.isEmpty())
    pieces.push_back(whole);
  for (const auto &pattern : impl_->patterns) {
    std::vector<icu::UnicodeString> next;
    for (const icu::UnicodeString &piece : pieces)
      splitPiece(*pattern, piece, next);
    pieces = std::move(next);
  }
  std::vector<std::string> words;
  for (const icu::UnicodeString &piece : pieces)
    piece.toUTF8String(words.emplace_back());
  return words;
}

} // namespace linmu::models
