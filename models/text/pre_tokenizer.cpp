#include "models/text/pre_tokenizer.h"
#include "models/text/normalizer.h"
#include "models/text/unicode_classes.h"
#include "models/text/utf8.h"
#include <optional>

namespace linmu::models {

const char *const gpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char *const qwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

void appendSlices(const Piece &piece, const std::vector<TextRange> &ranges, std::vector<Piece> &pieces) {
  for (const TextRange &range : ranges)
    pieces.push_back(piece.slice(range.begin, range.end));
}

template <typename Predicate> PreTokenizer characterPreTokenizer(Predicate holds, SplitBehavior behavior) {
  return [holds, behavior](const Piece &piece, std::vector<Piece> &pieces) {
    appendSlices(piece, applyBehavior(findCharacters(piece.text, holds), behavior), pieces);
  };
}

} // namespace

PreTokenizer splitPreTokenizer(Regex pattern, SplitBehavior behavior, bool invert) {
  return [pattern = std::move(pattern), behavior, invert](const Piece &piece, std::vector<Piece> &pieces) {
    std::vector<TextRange> ranges = pattern.findAll(piece.text);
    for (TextRange &range : ranges)
      range.is_match ^= invert;
    appendSlices(piece, applyBehavior(std::move(ranges), behavior), pieces);
  };
}

PreTokenizer byteLevelPreTokenizer(bool add_prefix_space, bool use_pattern) {
  std::optional<Regex> pattern;
  if (use_pattern)
    pattern.emplace(gpt2Pattern);
  return [add_prefix_space, pattern, toAlphabet = byteLevelNormalizer()](Piece piece,
                                                                         std::vector<Piece> &pieces) {
    if (add_prefix_space && !piece.text.starts_with(' '))
      piece.prepend(" ");
    std::size_t before = pieces.size();
    if (pattern)
      appendSlices(piece, pattern->findAll(piece.text), pieces);
    else
      pieces.push_back(std::move(piece));
    for (std::size_t i = before; i < pieces.size(); ++i)
      toAlphabet(pieces[i]);
  };
}

PreTokenizer metaspacePreTokenizer(char32_t mark, PrependScheme scheme, bool split) {
  std::string text = utf8(mark);
  return [mark, scheme, split, text, markSpaces = replaceNormalizer(Regex::literal(" "), text)](
             Piece piece, std::vector<Piece> &pieces) {
    markSpaces(piece);
    if (scheme == PrependScheme::always || (scheme == PrependScheme::first && piece.from_first > 0))
      if (!piece.text.starts_with(text))
        piece.prepend(text);
    if (!split) {
      pieces.push_back(std::move(piece));
      return;
    }
    auto isMark = [mark](char32_t character) { return character == mark; };
    appendSlices(piece, applyBehavior(findCharacters(piece.text, isMark), SplitBehavior::mergedWithNext),
                 pieces);
  };
}

PreTokenizer digitsPreTokenizer(bool individual) {
  return characterPreTokenizer(isNumeric, individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
}

PreTokenizer punctuationPreTokenizer(SplitBehavior behavior) {
  return characterPreTokenizer(isPunctuation, behavior);
}

PreTokenizer whitespacePreTokenizer() {
  return [](const Piece &piece, std::vector<Piece> &pieces) {
    enum class Kind { word, space, other };
    auto kindAt = [&](std::size_t &at) {
      char32_t character = nextCodePoint(piece.text, at);
      return isWordCharacter(character) ? Kind::word : isWhiteSpace(character) ? Kind::space : Kind::other;
    };
    for (std::size_t at = 0; at < piece.text.size();) {
      std::size_t begin = at;
      Kind kind = kindAt(at);
      for (std::size_t next = at; next < piece.text.size() && kindAt(next) == kind;)
        at = next;
      if (kind != Kind::space)
        pieces.push_back(piece.slice(begin, at));
    }
  };
}

PreTokenizer whitespaceSplitPreTokenizer() {
  return characterPreTokenizer(isWhiteSpace, SplitBehavior::removed);
}

PreTokenizer delimiterPreTokenizer(char32_t delimiter) {
  return characterPreTokenizer([delimiter](char32_t character) { return character == delimiter; },
                               SplitBehavior::removed);
}

PreTokenizer fixedLengthPreTokenizer(std::size_t length) {
  return [length](const Piece &piece, std::vector<Piece> &pieces) {
    for (std::size_t at = 0; at < piece.text.size();) {
      std::size_t begin = at;
      for (std::size_t i = 0; i < length && at < piece.text.size(); ++i)
        nextCodePoint(piece.text, at);
      pieces.push_back(piece.slice(begin, at));
    }
  };
}

std::vector<Piece> preTokenize(const std::vector<PreTokenizer> &steps, Piece piece) {
  std::vector<Piece> pieces;
  if (!piece.text.empty())
    pieces.push_back(std::move(piece));
  for (const PreTokenizer &step : steps) {
    std::vector<Piece> next;
    for (Piece &each : pieces)
      step(std::move(each), next);
    std::erase_if(next, [](const Piece &each) { return each.text.empty(); });
    pieces = std::move(next);
  }
  return pieces;
}

} // namespace linmu::models
