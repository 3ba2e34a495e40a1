// Vectors over GF(2) in the bits of a word: addition is exclusive or.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>

namespace linmu::cuda {

/// The span of vectors that are added one after the other, each numbered in that order. Answers how a vector
/// is a sum of them; where there are several ways, the one that uses those added first.
class Span {
public:
  Span() = default;
  explicit Span(llvm::ArrayRef<std::uint64_t> vectors) {
    for (std::uint64_t vector : vectors)
      add(vector);
  }

  /// Adds a vector, of at most 64. If it was in the span before: the earlier ones whose sum it is and itself,
  /// as a mask, which is a dependence (their sum is zero).
  std::optional<std::uint64_t> add(std::uint64_t vector);

  /// The vectors whose sum this is, as a mask; none if it is not in the span.
  std::optional<std::uint64_t> combinationOf(std::uint64_t vector) const;
  bool contains(std::uint64_t vector) const { return combinationOf(vector).has_value(); }

  unsigned rank() const { return static_cast<unsigned>(echelon.size()); }

private:
  struct Row {
    std::uint64_t vector;      ///< its highest bit is in no other row's highest place
    std::uint64_t combination; ///< the vectors that were added whose sum it is
  };
  /// `vector` less what the rows can take from it, and the vectors whose sum was taken.
  Row reduce(std::uint64_t vector) const;

  llvm::SmallVector<Row, 16> echelon; ///< by falling highest bit
  unsigned added = 0;
};

/// The sum of the vectors whose bits are set in `mask`.
std::uint64_t sumOf(llvm::ArrayRef<std::uint64_t> vectors, std::uint64_t mask);

} // namespace linmu::cuda
