#include "models/text/token_decoder.h"
#include "models/text/byte_level.h"
#include "models/text/stream_decoder.h"
#include "models/text/utf8.h"
#include <charconv>
#include <optional>
#include <utility>

namespace linmu::models {
namespace {

std::string join(const TokenTexts &tokens, std::string_view separator = "") {
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0)
      text += separator;
    text += tokens[i];
  }
  return text;
}

void replaceAll(std::string &text, std::string_view from, std::string_view to) {
  if (from.empty())
    return;
  std::string result;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(from, begin)) != text.npos; begin = at + from.size())
    result.append(text, begin, at - begin).append(to);
  text = result.append(text, begin);
}

/// The byte that a token `<0x..>` names.
std::optional<char> namedByte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>')
    return std::nullopt;
  unsigned value = 0;
  const char *begin = token.data() + 3, *end = begin + 2;
  // The reference's parser takes a plus sign as well.
  if (*begin == '+')
    ++begin;
  if (auto [stop, error] = std::from_chars(begin, end, value, 16); stop != end || error != std::errc())
    return std::nullopt;
  return static_cast<char>(value);
}

} // namespace

std::string bytesOfToken(const std::string &token) {
  std::string bytes;
  return bytesOfAlphabet(token, bytes) ? bytes : token;
}

TokenDecoder byteLevelDecoder() {
  return [](const TokenTexts &tokens) {
    StreamDecoder stream;
    std::string text;
    for (const std::string &token : tokens)
      text += stream.push(bytesOfToken(token));
    return TokenTexts{text + stream.finish()};
  };
}

TokenDecoder metaspaceDecoder(char32_t mark, bool drop_first) {
  return [mark = utf8(mark), drop_first](TokenTexts tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      replaceAll(tokens[i], mark, i == 0 && drop_first ? "" : " ");
    return tokens;
  };
}

TokenDecoder byteFallbackDecoder() {
  return [](const TokenTexts &tokens) {
    TokenTexts result;
    std::string bytes;
    auto flush = [&] {
      if (bytes.empty())
        return;
      if (isUtf8(bytes))
        result.push_back(bytes);
      else
        result.insert(result.end(), bytes.size(), "\uFFFD");
      bytes.clear();
    };
    for (const std::string &token : tokens) {
      if (std::optional<char> byte = namedByte(token)) {
        bytes.push_back(*byte);
        continue;
      }
      flush();
      result.push_back(token);
    }
    flush();
    return result;
  };
}

TokenDecoder fuseDecoder() {
  return [](const TokenTexts &tokens) { return TokenTexts{join(tokens)}; };
}

TokenDecoder stripDecoder(char32_t character, std::size_t start, std::size_t stop) {
  return [text = utf8(character), start, stop](TokenTexts tokens) {
    for (std::string &token : tokens) {
      std::string_view rest = token;
      std::size_t end = rest.size();
      for (std::size_t i = 0; i < stop && end >= text.size() && rest.substr(0, end).ends_with(text); ++i)
        end -= text.size();
      std::size_t begin = 0;
      for (std::size_t i = 0; i < start && rest.substr(begin).starts_with(text); ++i)
        begin += text.size();
      token = begin < end ? token.substr(begin, end - begin) : std::string();
    }
    return tokens;
  };
}

TokenDecoder replaceDecoder(Regex pattern, std::string content) {
  return [pattern = std::move(pattern), content = std::move(content)](TokenTexts tokens) {
    for (std::string &token : tokens) {
      std::string result;
      for (const TextRange &range : pattern.findAll(token))
        result += range.is_match ? content : token.substr(range.begin, range.end - range.begin);
      token = std::move(result);
    }
    return tokens;
  };
}

TokenDecoder wordEndDecoder(std::string suffix) {
  return [suffix = std::move(suffix)](TokenTexts tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      replaceAll(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
    return tokens;
  };
}

TokenDecoder wordPieceDecoder(std::string prefix, bool cleanup) {
  static constexpr std::pair<const char *, const char *> cleanups[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  return [prefix = std::move(prefix), cleanup](TokenTexts tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string &token = tokens[i];
      if (i > 0)
        token = token.starts_with(prefix) ? token.substr(prefix.size()) : " " + token;
      for (const auto &[from, to] : cleanups)
        if (cleanup)
          replaceAll(token, from, to);
    }
    return tokens;
  };
}

TokenDecoder spaceDecoder() {
  return [](const TokenTexts &tokens) { return TokenTexts{join(tokens, " ")}; };
}

} // namespace linmu::models
