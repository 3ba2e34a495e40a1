// The product with packed weights as a pattern.
#pragma once
#include "models/io/packed_group.h"
#include <cstdint>
#include <string>

namespace linmu::models {

/// How weights of `bits` (4 or 8) lie in words of 32 bits: 32 neighbours of a row, a group, are a few words.
struct PackedWords {
  static constexpr int rows = 16; ///< of a block, side by side in memory: a line of the cache
  int bits = 4;

  int perWord() const { return 32 / bits; }
  int perGroup() const { return PackedGroup::size / perWord(); }
  /// By what the kernel sees the weight at `place` of its word too large: it is not shifted down.
  float magnified(int place) const { return static_cast<float>(std::uint64_t{1} << (place * bits)); }
};

/// A map over tokens whose heads are `blocks` blocks of output rows. Of B = blocks and G = `groups`:
///
///   operands  x0 .. x31 [?, ?, 1, G], element e of each group over magnified(e mod perWord());
///             sum [?, ?, 1, G], of each group's elements;
///             w0 .. [B, G, 16] i32, word by word; scale, offset [B, G, 16] f16
///   result    y [?, ?, B, 16],  y[r] = sum over g of scale[g, r] (sum over e of q[g, e, r] x_e[g])
///                                                    + offset[g, r] sum[g]
///
/// All of it is f32: of a word masked to one weight the float is exact.
std::string packedProductPattern(std::int64_t groups, std::int64_t blocks, PackedWords words);

} // namespace linmu::models
