#include "compiler/derive/walk.h"

using namespace mlir;
using namespace linmu;

/// The range behind positions that start at `first`, and the liveness of its elements.
Value Walk::rangeOf(TileBuilder &builder, Value first, int64_t size,
                    TileBuilder::RangeOptions options) const {
  if (reverse)
    first = builder.subtract(builder.subtract(tokens, builder.index(1)), first);
  options.backward = reverse;
  options.order = order;
  options.batch = order ? batch : Value();
  return builder.range(first, size, options);
}

Value Walk::rowsOf(TileBuilder &builder, const TokenSpan &positions) const {
  if (positions.several())
    return rangeOf(builder, positions.first, positions.size, {.to = positions.live});
  Value row = positions.first;
  if (reverse)
    row = builder.subtract(builder.subtract(tokens, builder.index(1)), row);
  if (order)
    row = builder.toIndex(builder.load(order, {batch, row}));
  return row;
}

Value Walk::earlierRowsOf(TileBuilder &builder, const TokenSpan &positions, int64_t distance) const {
  Value back = builder.index(distance), first = builder.subtract(positions.first, back);
  if (!positions.several())
    return rowsOf(builder, {first});
  Value from = builder.subtract(back, positions.first);
  return rangeOf(builder, first, positions.size, {.from = from, .to = positions.live});
}

Value Walk::headOf(TileBuilder &builder, int64_t operandHeads) const {
  if (operandHeads == heads)
    return head;
  if (operandHeads == 1)
    return builder.index(0);
  return arith::DivUIOp::create(builder, head, builder.index(heads / operandHeads));
}

SmallVector<Value> Walk::indices(TileBuilder &builder, Value memory, Value rows) const {
  auto type = cast<RankedTensorType>(memory.getType());
  SmallVector<Value> result{batch};
  if (rows)
    result.push_back(rows);
  if (int64_t axis = result.size(); axis < type.getRank())
    result.push_back(headOf(builder, type.getDimSize(axis)));
  return result;
}

Value Walk::load(TileBuilder &builder, Value memory, Value rows) const {
  return builder.extend(builder.load(memory, indices(builder, memory, rows)));
}

Value Walk::loadParam(TileBuilder &builder, Value memory) const {
  int64_t operandHeads = cast<RankedTensorType>(memory.getType()).getDimSize(0);
  return builder.extend(builder.load(memory, headOf(builder, operandHeads)));
}

void Walk::store(TileBuilder &builder, Value value, Value memory, Value rows) const {
  Type element = getElementTypeOrSelf(memory.getType());
  builder.store(builder.round(value, element), memory, indices(builder, memory, rows));
}
