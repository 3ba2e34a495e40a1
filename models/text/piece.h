// A part of a text on its way to tokens.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>

namespace linmu::models {

struct Piece {
  std::string text;
  /// How many of its bytes, from its start, came from the first character of the whole text. Metaspace's
  /// scheme `first` asks for it.
  std::size_t from_first = 0;

  Piece slice(std::size_t begin, std::size_t end) const {
    return {text.substr(begin, end - begin), std::min(end, std::max(begin, from_first)) - begin};
  }
  /// Puts `prefix` in front, as part of the first character.
  void prepend(const std::string &prefix) {
    text.insert(0, prefix);
    if (from_first > 0)
      from_first += prefix.size();
  }
};

} // namespace linmu::models
