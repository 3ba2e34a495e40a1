// Expressions on what a call is about: how many blocks, how large a temporary, which variant.
#pragma once
#include <cstdint>
#include <vector>

namespace linmu {

/// What B, N, M and the number of sequences are in one call, and how many tokens the longest sequence of a
/// ragged batch has. A symbol that no operand has is 1.
struct Symbols {
  std::int64_t batch = 1, tokens = 1, media_items = 1, sequences = 1, longest_sequence = 1;
};

/// A whole number of at least 0, in postfix order: an operation takes the two values before it. Conditions
/// are 0 and 1.
struct Expression {
  struct Term {
    enum Kind : std::uint8_t {
      constant, ///< `value`
      batch,
      tokens,
      mediaItems,
      sequences,
      longestSequence,
      add,
      subtract, ///< 0 where the second is larger
      multiply,
      divide, ///< rounding down; by 0 it is 0, and so is the remainder
      ceilDivide,
      remainder,
      minimum,
      maximum,
      equal,
      less,
      both,
      either,
    } kind = constant;
    std::int64_t value = 0;
    bool operator==(const Term &) const = default;
  };
  std::vector<Term> terms;
  bool operator==(const Expression &) const = default;

  static Expression of(std::int64_t value) { return {{{Term::constant, value}}}; }
  static Expression of(Term::Kind symbol) { return {{{symbol}}}; }

  /// Whether the terms make one value, no more than `mostTerms` of them.
  bool isValid() const;
  /// The value of a valid expression; INT64_MAX stands for all that do not fit.
  std::int64_t evaluate(const Symbols &symbols) const;
  /// Whether it depends on a symbol.
  bool uses(Term::Kind symbol) const;

  static constexpr std::size_t mostTerms = 64;
};

} // namespace linmu
