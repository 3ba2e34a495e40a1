// Which places of operands a load or store touches, and which of them are live.
#pragma once
#include "compiler/target/cpu/Access.h"
#include "compiler/target/cpu/lower/Kernel.h"

namespace linmu::cpu {

class Places {
public:
  using Value = mlir::Value;

  explicit Places(Kernel &kernel) : kernel_(kernel), emit_(kernel.emit) {}

  /// An order's rows are looked up here, once for all loads and stores of the range.
  void lowerRange(tile::RangeOp op);

  /// The indices in memory of one element of the tile, or of the first of a vector of them. `column` is null
  /// for a tile of rank 1, `row` as well for a scalar.
  llvm::SmallVector<Value> of(const Access &access, Value row, Value column);
  /// Element `at` of a range whose first position is `first`, without an order.
  Value positionIn(Value first, bool backward, Value at);

  /// Whether element `at` of a range is live; null where all are, and for other indices.
  Value isLive(Value index, Value at);
  /// Whether all elements of a range are live; null where they are in any case.
  Value isAllLive(Value index);
  /// Which lanes of the vector at `column` are live columns of a tile of `size`; null where all are.
  Value liveLanes(Value index, Value column, std::int64_t size);
  /// Builds `body` where the element of the range that it touches is known to be live.
  void whileLive(Value index, llvm::function_ref<void()> body);

private:
  /// A `tile.range`: element i is at first + i or first - i, or at rows[i] where an order says so.
  struct Range {
    Value first, from, to; ///< index; `from` and `to` null where all elements are live
    bool backward;
    Value rows; ///< a buffer of i64, 0 for dead elements; null without an order
  };
  const Range *find(Value index) const;
  Value positionIn(const Range &range, Value at);
  Value lookUp(tile::RangeOp op, Value at);

  Kernel &kernel_;
  Emit &emit_;
  llvm::DenseMap<Value, Range> ranges_;
  Value knownLive_; ///< the range whose element at hand is live
};

} // namespace linmu::cpu
