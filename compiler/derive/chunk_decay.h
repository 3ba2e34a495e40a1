// The decay of one state over one chunk: factors from entry to each token, between tokens, and to the exit.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

/// With G the logarithms summed inside the chunk, all factors are exponentials of sums of non-positive
/// numbers. Inside a chunk a decay by row or column is a running product of its tokens' factors, one
/// exponential an element; what multiplies up over all chunks is the exponential of a sum.
class ChunkDecay {
public:
  /// No decay: factors are null.
  ChunkDecay() = default;
  /// `logarithm` is g: [C] (scalar decay), [C, K] (by row) or, `byValue`, [C, V]; 0 for rows past the end.
  ChunkDecay(TileBuilder &builder, mlir::Value logarithm, bool byValue);

  explicit operator bool() const { return logarithm_ != nullptr; }
  bool isScalar() const { return logarithm_ && rankOf(logarithm_) == 1; }
  bool isByRow() const { return logarithm_ && !isScalar() && !by_value_; }
  bool isByValue() const { return by_value_; }

  /// exp(g), [C, K] or [C, V]; of decays by row and by value.
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

  /// What was made of a scalar decay elsewhere: fromEntry() of inclusive and of exclusive reads, or null for
  /// those that there are none of, and toExit(); [C] each.
  struct Prepared {
    mlir::Value from_entry, from_entry_exclusive, to_exit;
  };
  void usePrepared(const Prepared &prepared) { prepared_ = prepared; }

private:
  mlir::Value logarithm_, factors_;
  Prepared prepared_;                                         ///< null unless used
  mlir::Value sum_, error_, exclusive_sum_, exclusive_error_; ///< of a scalar decay
  bool by_value_ = false;
};

} // namespace linmu
