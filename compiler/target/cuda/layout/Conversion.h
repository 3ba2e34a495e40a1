// What it takes to bring a tile from one register layout to another.
#pragma once
#include "compiler/target/cuda/layout/LinearLayout.h"

namespace linmu::cuda {

enum class ConversionKind {
  none,      ///< every register already holds its element
  registers, ///< other names for registers, the same for all threads: free
  selects,   ///< the thread has it, in a register that depends on its lane or warp
  shuffles,  ///< another lane of the warp has it
  shared,    ///< another warp has it
};

struct Conversion {
  ConversionKind kind = ConversionKind::none;
  /// From (register, lane, warp) of the new layout to that of the old one that holds the element: the same
  /// warp where it has it, the same lane where that has it.
  LinearLayout source;
  /// Shuffles of one register each, where the kind is `shuffles`: for a new register one for every old
  /// register that some lane finds its element in.
  unsigned shuffles = 0;
};

/// Requires both to map (register, lane, warp), as many lanes and warps, to the same outputs, and `from` to
/// hold every element.
Conversion planConversion(const LinearLayout &from, const LinearLayout &to);

} // namespace linmu::cuda
