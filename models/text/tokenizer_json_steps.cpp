#include "models/text/tokenizer_json_steps.h"
#include "models/io/json_integer.h"
#include "models/text/utf8.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::models {
namespace {

using nlohmann::json;

[[noreturn]] void unsupported(const std::string &origin, const char *what, const json &step) {
  std::string type = step.value("type", "");
  throw Error(ErrorCode::unsupported, type.empty()
                                          ? fmt::format("{}: {} {} has no type", origin, what, step.dump())
                                          : fmt::format("{}: {} '{}' is not supported", origin, what, type));
}

[[noreturn]] void corrupt(const std::string &origin, const std::string &message) {
  throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin, message));
}

std::string typeOf(const json &step) { return step.value("type", ""); }

/// {"Regex": ...} or {"String": ...}.
Regex patternOf(const json &step, const std::string &origin) {
  const json &pattern = step.at("pattern");
  try {
    if (pattern.is_object() && pattern.contains("Regex"))
      return Regex(pattern.at("Regex").get<std::string>());
    return Regex::literal(pattern.at("String").get<std::string>());
  } catch (const Error &error) {
    throw Error(error.code(), fmt::format("{}: {}", origin, error.what()), error.hint());
  }
}

char32_t characterOf(const json &step, const char *field, const std::string &origin) {
  auto text = step.at(field).get<std::string>();
  std::size_t end = 0;
  char32_t character = 0;
  if (!text.empty())
    character = nextCodePoint(text, end);
  if (text.empty() || end != text.size())
    corrupt(origin, fmt::format("'{}' of {} must be one character, got '{}'", field, typeOf(step), text));
  return character;
}

SplitBehavior behaviorOf(const std::string &name, const std::string &origin) {
  static constexpr std::pair<const char *, SplitBehavior> behaviors[] = {
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::mergedWithPrevious},
      {"MergedWithNext", SplitBehavior::mergedWithNext},
      {"Contiguous", SplitBehavior::contiguous}};
  for (const auto &[known, behavior] : behaviors)
    if (name == known)
      return behavior;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: the split behavior '{}' is not supported", origin, name));
}

/// Older files say `add_prefix_space` where newer ones have a scheme.
PrependScheme schemeOf(const json &step, const std::string &origin) {
  std::string name = step.value("prepend_scheme", "always");
  bool no_space = step.contains("add_prefix_space") && step["add_prefix_space"] == false;
  if (no_space && step.contains("prepend_scheme") && name != "never")
    corrupt(origin, fmt::format("Metaspace has 'add_prefix_space' false and 'prepend_scheme' '{}'", name));
  if (no_space || name == "never")
    return PrependScheme::never;
  if (name == "first" || name == "always")
    return name == "first" ? PrependScheme::first : PrependScheme::always;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: Metaspace's 'prepend_scheme' '{}' is not supported", origin, name));
}

std::size_t countOf(const json &step, const char *field, const std::string &origin, std::int64_t least = 0) {
  const auto count = integerIn(step.at(field), least, INT64_MAX);
  if (!count)
    corrupt(origin, fmt::format("'{}' of {} must be an integer of {} or more, got {}", field, typeOf(step),
                                least, step.at(field).dump()));
  return static_cast<std::size_t>(*count);
}

} // namespace

void appendNormalizers(const json &step, const std::string &origin, std::vector<Normalizer> &steps) {
  if (step.is_null())
    return;
  std::string type = typeOf(step);
  if (type == "Sequence")
    for (const json &inner : step.at("normalizers"))
      appendNormalizers(inner, origin, steps);
  else if (type == "NFC")
    steps.push_back(unicodeFormNormalizer(UnicodeForm::nfc));
  else if (type == "NFD")
    steps.push_back(unicodeFormNormalizer(UnicodeForm::nfd));
  else if (type == "NFKC")
    steps.push_back(unicodeFormNormalizer(UnicodeForm::nfkc));
  else if (type == "NFKD")
    steps.push_back(unicodeFormNormalizer(UnicodeForm::nfkd));
  else if (type == "Lowercase")
    steps.push_back(lowercaseNormalizer());
  else if (type == "Replace")
    steps.push_back(replaceNormalizer(patternOf(step, origin), step.at("content").get<std::string>()));
  else if (type == "Prepend")
    steps.push_back(prependNormalizer(step.at("prepend").get<std::string>()));
  else if (type == "Strip")
    steps.push_back(stripNormalizer(step.at("strip_left").get<bool>(), step.at("strip_right").get<bool>()));
  else if (type == "StripAccents")
    steps.push_back(stripAccentsNormalizer());
  else if (type == "ByteLevel")
    steps.push_back(byteLevelNormalizer());
  else if (type == "Nmt")
    steps.push_back(nmtNormalizer());
  else
    unsupported(origin, "the normalizer", step);
}

void appendPreTokenizers(const json &step, const std::string &origin, std::vector<PreTokenizer> &steps) {
  if (step.is_null())
    return;
  std::string type = typeOf(step);
  if (type == "Sequence")
    for (const json &inner : step.at("pretokenizers"))
      appendPreTokenizers(inner, origin, steps);
  else if (type == "ByteLevel")
    steps.push_back(
        byteLevelPreTokenizer(step.value("add_prefix_space", true), step.value("use_regex", true)));
  else if (type == "Metaspace")
    steps.push_back(metaspacePreTokenizer(characterOf(step, "replacement", origin), schemeOf(step, origin),
                                          !step.contains("split") || step["split"].is_null() ||
                                              step["split"].get<bool>()));
  else if (type == "Split")
    steps.push_back(splitPreTokenizer(patternOf(step, origin),
                                      behaviorOf(step.at("behavior").get<std::string>(), origin),
                                      step.value("invert", false)));
  else if (type == "Digits")
    steps.push_back(digitsPreTokenizer(step.value("individual_digits", false)));
  else if (type == "Punctuation")
    steps.push_back(punctuationPreTokenizer(behaviorOf(step.value("behavior", "Isolated"), origin)));
  else if (type == "Whitespace")
    steps.push_back(whitespacePreTokenizer());
  else if (type == "WhitespaceSplit")
    steps.push_back(whitespaceSplitPreTokenizer());
  else if (type == "BertPreTokenizer") {
    steps.push_back(whitespaceSplitPreTokenizer());
    steps.push_back(punctuationPreTokenizer(SplitBehavior::isolated));
  } else if (type == "CharDelimiterSplit")
    steps.push_back(delimiterPreTokenizer(characterOf(step, "delimiter", origin)));
  else if (type == "FixedLength")
    steps.push_back(
        fixedLengthPreTokenizer(step.contains("length") ? countOf(step, "length", origin, 1) : 5));
  else
    unsupported(origin, "the pre-tokenizer", step);
}

void appendDecoders(const json &step, const std::string &origin, std::vector<TokenDecoder> &steps) {
  if (step.is_null())
    return;
  std::string type = typeOf(step);
  if (type == "Sequence")
    for (const json &inner : step.at("decoders"))
      appendDecoders(inner, origin, steps);
  else if (type == "ByteLevel")
    steps.push_back(byteLevelDecoder());
  else if (type == "Metaspace")
    steps.push_back(metaspaceDecoder(characterOf(step, "replacement", origin),
                                     schemeOf(step, origin) != PrependScheme::never));
  else if (type == "ByteFallback")
    steps.push_back(byteFallbackDecoder());
  else if (type == "Fuse")
    steps.push_back(fuseDecoder());
  else if (type == "Strip")
    steps.push_back(stripDecoder(characterOf(step, "content", origin), countOf(step, "start", origin),
                                 countOf(step, "stop", origin)));
  else if (type == "Replace")
    steps.push_back(replaceDecoder(patternOf(step, origin), step.at("content").get<std::string>()));
  else if (type == "BPEDecoder")
    steps.push_back(wordEndDecoder(step.value("suffix", "</w>")));
  else if (type == "WordPiece")
    steps.push_back(wordPieceDecoder(step.value("prefix", "##"), step.value("cleanup", true)));
  else
    unsupported(origin, "the decoder", step);
}

} // namespace linmu::models
