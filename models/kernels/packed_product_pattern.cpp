#include "models/kernels/packed_product_pattern.h"
#include <fmt/format.h>

namespace linmu::models {
namespace {

/// `count` texts, made of their numbers, with commas between.
template <typename Make> std::string list(int count, Make make) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += (i ? ", " : "") + make(i);
  return text;
}

/// Aliases, the function's head and the clauses of the map.
std::string headOf(std::int64_t groups, std::int64_t blocks, PackedWords words) {
  constexpr int rows = PackedWords::rows;
  std::string text =
      fmt::format("!x = tensor<?x?x1x{}xf32>\n!y = tensor<?x?x{}x{}xf32>\n", groups, blocks, rows);
  text +=
      fmt::format("!word = tensor<{0}x{1}x{2}xi32>\n!half = tensor<{0}x{1}x{2}xf16>\n", blocks, groups, rows);
  text += fmt::format("!group = tensor<{0}xf32>\n!q = tensor<{0}x{1}xi32>\n!m = tensor<{0}x{1}xf32>\n\n",
                      groups, rows);
  auto elements = [](const char *pattern) {
    return list(PackedGroup::size, [&](int e) { return fmt::format(fmt::runtime(pattern), e); });
  };
  auto wordsOf = [&](const char *pattern) {
    return list(words.perGroup(), [&](int i) { return fmt::format(fmt::runtime(pattern), i); });
  };
  text += fmt::format("func.func @packed_product({}, %sum: !x, {}, %scale: !half, %offset: !half) -> !y {{\n",
                      elements("%x{}: !x"), wordsOf("%w{}: !word"));
  return text +
         fmt::format("  %y = pattern.map\n      params({}, %s = %scale : !half, %o = %offset : !half)\n"
                     "      tokens({}, %xs = %sum : !x)\n      -> (!y) {{\n",
                     wordsOf("%p{0} = %w{0} : !word"), elements("%t{0} = %x{0} : !x"));
}

/// Weight `place` of word `word`, times its activation, on top of what the word's weights before it gave.
std::string termOf(int word, int place, PackedWords words) {
  const int element = word * words.perWord() + place;
  // Only the topmost weight of a word reaches into its sign.
  const char *convert = place + 1 == words.perWord() ? "uitofp" : "sitofp";
  std::string text = fmt::format("    %q{0} = arith.andi %p{1}, %mask{2} : !q\n"
                                 "    %f{0} = arith.{3} %q{0} : !q to !m\n"
                                 "    %b{0} = pattern.broadcast %t{0} along 0 : !group to !m\n",
                                 element, word, place, convert);
  if (place == 0)
    return text + fmt::format("    %a{0} = arith.mulf %f{0}, %b{0} : !m\n", element);
  return text + fmt::format("    %a{0} = math.fma %f{0}, %b{0}, %a{1} : !m\n", element, element - 1);
}

} // namespace

std::string packedProductPattern(std::int64_t groups, std::int64_t blocks, PackedWords words) {
  std::string text = headOf(groups, blocks, words);
  for (int place = 0; place < words.perWord(); ++place) {
    const std::uint32_t mask = ((std::uint64_t{1} << words.bits) - 1) << (place * words.bits);
    text +=
        fmt::format("    %mask{} = arith.constant dense<{}> : !q\n", place, static_cast<std::int32_t>(mask));
  }
  std::string sum; // of the words so far
  for (int word = 0; word < words.perGroup(); ++word) {
    for (int place = 0; place < words.perWord(); ++place)
      text += termOf(word, place, words);
    const int last = (word + 1) * words.perWord() - 1;
    if (word > 0)
      text += fmt::format("    %u{} = arith.addf {}, %a{} : !m\n", word, sum, last);
    sum = word > 0 ? fmt::format("%u{}", word) : fmt::format("%a{}", last);
  }
  text += fmt::format("    %bs = pattern.broadcast %xs along 0 : !group to !m\n"
                      "    %moved = arith.mulf %o, %bs : !m\n"
                      "    %each = math.fma {}, %s, %moved : !m\n"
                      "    %all = pattern.sum %each over 0 : !m\n"
                      "    pattern.yield outputs(%all : tensor<{}xf32>)\n  }}\n  return %y : !y\n}}\n",
                      sum, PackedWords::rows);
  return text;
}

} // namespace linmu::models
