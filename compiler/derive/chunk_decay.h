// The decay of one axis of a state over one chunk: factors from entry to each token, between tokens, and to
// the exit.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

/// With G the logarithms summed inside the chunk, all factors are exponentials of sums of non-positive
/// numbers. Inside a chunk a decay by row or by column is a running product of its tokens' factors, one
/// exponential an element; what multiplies up over all chunks is the exponential of a sum. Where a decay may
/// be negative its sign stands beside its logarithm: of what is left from s to t it is the product of the
/// signs up to t times that of those up to s, so that nothing is divided.
class ChunkDecay {
public:
  /// No decay: factors are null.
  ChunkDecay() = default;
  /// `logarithm` is g: [C] (scalar decay) or [C, K], of the columns h: [C, V]; 0 for rows past the end. May
  /// be null. `sign` is 1 or -1, of the same shape, 1 for those rows; null where no decay is negative.
  ChunkDecay(TileBuilder &builder, mlir::Value logarithm, mlir::Value sign);

  explicit operator bool() const { return logarithm_ != nullptr; }
  bool isScalar() const { return logarithm_ && rankOf(logarithm_) == 1; }
  /// By row or by column.
  bool isVector() const { return logarithm_ && !isScalar(); }

  /// exp(g) with its sign, [C, K] or [C, V]; of vectors.
  mlir::Value factors() const { return factors_; }
  /// exp(G[t] - G[s]) of a scalar decay, [C, C]; of an exclusive read exp(G[t - 1] - G[s]). Elements above
  /// the diagonal have no meaning.
  mlir::Value betweenTokens(TileBuilder &builder, bool inclusive) const;
  /// exp(G[t]), or exp(G[t - 1]): what is left, at each token, of the state at the chunk's entry.
  mlir::Value fromEntry(TileBuilder &builder, bool inclusive) const;
  /// exp(G[C - 1] - G[t]): what is left at the exit of what each token wrote.
  mlir::Value toExit(TileBuilder &builder) const;
  /// exp(G[C - 1]): what is left at the exit of the entry; a scalar, [K] or [V].
  mlir::Value overChunk(TileBuilder &builder) const;
  /// The least logarithm of the chunk: a scalar, [K] or [V].
  mlir::Value leastLogarithm(TileBuilder &builder) const;
  /// What is left of a state over the chunk, where the decay is that of `axis` of the state: 0 or 1.
  mlir::Value left(TileBuilder &builder, mlir::Value state, int64_t axis) const;

  /// What was made of a scalar decay elsewhere: fromEntry() of inclusive and of exclusive reads, or null for
  /// those that there are none of, and toExit(); [C] each.
  struct Prepared {
    mlir::Value from_entry, from_entry_exclusive, to_exit;
  };
  void usePrepared(const Prepared &prepared) { prepared_ = prepared; }

private:
  mlir::Value logarithm_, factors_;
  mlir::Value signs_, exclusive_signs_; ///< products of the signs so far; null where none is negative
  Prepared prepared_;                   ///< null unless used
  mlir::Value sum_, error_, exclusive_sum_, exclusive_error_; ///< of a scalar decay
};

} // namespace linmu
