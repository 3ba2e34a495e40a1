#include "compiler/derive/walk.h"

using namespace mlir;
using namespace linmu;

Value Walk::rowsOf(TileBuilder &builder, Value positions) const {
  auto tile = dyn_cast<RankedTensorType>(positions.getType());
  Value rows = positions;
  if (reverse) {
    Value last = builder.subtract(tokens, builder.index(1));
    rows = builder.subtract(tile ? builder.fill(builder.toI32(last), tile.getShape()) : last, rows);
  }
  if (order) {
    rows = builder.load(order, {batch, rows});
    if (!tile)
      rows = builder.toIndex(rows);
  }
  return rows;
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

void Walk::store(TileBuilder &builder, Value value, Value memory, Value rows, Value live) const {
  Type element = getElementTypeOrSelf(memory.getType());
  builder.store(builder.round(value, element), memory, indices(builder, memory, rows), live);
}
