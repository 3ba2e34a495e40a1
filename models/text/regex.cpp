#include "models/text/regex.h"
#include "runtime/core/error.h"
#include <cstring>
#include <fmt/format.h>
#include <oniguruma.h>

namespace linmu::models {
namespace {

const OnigUChar *unsignedBytes(const char *text) { return reinterpret_cast<const OnigUChar *>(text); }

std::string messageOf(int code, OnigErrorInfo *info) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
  int length = info ? onig_error_code_to_str(text, code, info) : onig_error_code_to_str(text, code);
  return {reinterpret_cast<const char *>(text), static_cast<std::size_t>(length)};
}

void initialize() {
  static const int status = [] {
    OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
    return onig_initialize(encodings, 1);
  }();
  if (status != ONIG_NORMAL)
    throw Error(ErrorCode::internal,
                fmt::format("starting Oniguruma failed: {}", messageOf(status, nullptr)));
}

} // namespace

struct Regex::Impl {
  std::string pattern; ///< as it was given, for messages
  regex_t *compiled = nullptr;
  ~Impl() { onig_free(compiled); }
};

Regex::Regex(const std::string &pattern) {
  initialize();
  auto impl = std::make_shared<Impl>();
  impl->pattern = pattern;
  OnigErrorInfo info;
  const OnigUChar *begin = unsignedBytes(pattern.data());
  int status = onig_new(&impl->compiled, begin, begin + pattern.size(), ONIG_OPTION_NONE, ONIG_ENCODING_UTF8,
                        ONIG_SYNTAX_ONIGURUMA, &info);
  if (status != ONIG_NORMAL)
    throw Error(ErrorCode::unsupported, fmt::format("the regular expression '{}' does not compile: {}",
                                                    pattern, messageOf(status, &info)));
  impl_ = std::move(impl);
}

Regex Regex::literal(std::string_view text) {
  std::string escaped;
  for (char byte : text) {
    if (byte != '\0' && std::strchr("\\.+*?()|[]{}^$#&-~", byte))
      escaped.push_back('\\');
    escaped.push_back(byte);
  }
  return Regex(escaped);
}

std::vector<TextRange> Regex::findAll(std::string_view text) const {
  std::unique_ptr<OnigRegion, void (*)(OnigRegion *)> region(
      onig_region_new(), [](OnigRegion *each) { onig_region_free(each, 1); });
  const OnigUChar *begin = unsignedBytes(text.data()), *end = begin + text.size();
  std::vector<TextRange> ranges;
  if (text.empty())
    return ranges;
  std::size_t covered = 0, from = 0;
  bool matched_before = false;
  while (from <= text.size()) {
    int status = onig_search(impl_->compiled, begin, end, begin + from, end, region.get(), ONIG_OPTION_NONE);
    if (status == ONIG_MISMATCH)
      break;
    if (status < 0)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("searching for the regular expression '{}' in {} bytes "
                              "failed: {}",
                              impl_->pattern, text.size(), messageOf(status, nullptr)));
    auto match_begin = static_cast<std::size_t>(region->beg[0]);
    auto match_end = static_cast<std::size_t>(region->end[0]);
    if (match_begin == match_end && matched_before && match_end == covered) {
      if (from == text.size())
        break;
      nextCodePoint(text, from);
      continue;
    }
    if (covered < match_begin)
      ranges.push_back({covered, match_begin, false});
    ranges.push_back({match_begin, match_end, true});
    covered = from = match_end;
    matched_before = true;
  }
  if (covered < text.size())
    ranges.push_back({covered, text.size(), false});
  return ranges;
}

} // namespace linmu::models
