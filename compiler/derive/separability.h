// Which value columns of a scan's states are independent: how far a scan can be split over blocks.
#pragma once
#include "dialects/pattern/Pattern.h"

namespace linmu {

/// Column v of a state is independent of the others where nothing on its way looks across columns: its values
/// and decay are made element by element, and keys and feedback weights do not depend on what it reads and
/// writes.
struct Separability {
  explicit Separability(pattern::NormalScanOp scan);

  /// The op that binds columns of the states together, or null.
  mlir::Operation *states = nullptr;
  /// The op of `finish` that needs all columns of what was read or written, as an output norm does, or null.
  mlir::Operation *finish = nullptr;
  /// V of the states that have columns; 1 without any.
  int64_t columns = 1;
};

} // namespace linmu
