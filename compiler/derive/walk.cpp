#include "compiler/derive/walk.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;

void Walk::enter(TileBuilder &builder, Value index, Value table) {
  batch = index;
  if (!table)
    return;
  auto entry = [&](Value at) { return toIndex(builder, loadTile(builder, table, {at})); };
  sequence = index;
  batch = builder.index(0);
  begin = entry(index);
  tokens = builder.subtract(entry(builder.add(index, builder.index(1))), begin);
}

Walk Walk::ofStates() const {
  Walk walk = *this;
  if (sequence)
    walk.batch = sequence;
  return walk;
}

/// The row of memory, or of the order, behind a position.
Value Walk::placeOf(TileBuilder &builder, Value position) const {
  if (reverse)
    position = builder.subtract(builder.subtract(tokens, builder.index(1)), position);
  return begin ? builder.add(begin, position) : position;
}

/// The range behind positions that start at `first`, and the liveness of its elements.
Value Walk::rangeOf(TileBuilder &builder, Value first, int64_t size, RangeOptions options) const {
  first = placeOf(builder, first);
  options.backward = reverse;
  options.order = order;
  options.batch = order ? batch : Value();
  return tileRange(builder, first, size, options);
}

Value Walk::rowsOf(TileBuilder &builder, const TokenSpan &positions) const {
  if (positions.several())
    return rangeOf(builder, positions.first, positions.size, {.to = positions.live});
  Value row = placeOf(builder, positions.first);
  if (order)
    row = toIndex(builder, loadTile(builder, order, {batch, row}));
  return row;
}

Value Walk::earlierRowsOf(TileBuilder &builder, const TokenSpan &positions, int64_t distance) const {
  Value back = builder.index(distance), first = builder.subtract(positions.first, back);
  if (!positions.several())
    return rowsOf(builder, {first});
  Value from = positions.inside ? Value() : builder.subtract(back, positions.first);
  return rangeOf(builder, first, positions.size, {.from = from, .to = positions.live});
}

Value Walk::ownRowsOf(TileBuilder &builder, const TokenSpan &positions) const {
  Value first = begin ? builder.add(begin, positions.first) : positions.first;
  return positions.several() ? tileRange(builder, first, positions.size, {.to = positions.live}) : first;
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
  SmallVector<Value> result{rows ? batch : ofStates().batch};
  if (rows)
    result.push_back(rows);
  if (int64_t axis = result.size(); axis < type.getRank())
    result.push_back(headOf(builder, type.getDimSize(axis)));
  return result;
}

Value Walk::load(TileBuilder &builder, Value memory, Value rows, const ColumnSlice &columns) const {
  SmallVector<Value> place = indices(builder, memory, rows);
  if (columns)
    place.push_back(columns.range(builder));
  return extendToF32(builder, loadTile(builder, memory, place));
}

Value Walk::loadParam(TileBuilder &builder, Value memory, const ColumnSlice &columns) const {
  SmallVector<Value> place{headOf(builder, cast<RankedTensorType>(memory.getType()).getDimSize(0))};
  if (columns)
    place.push_back(columns.range(builder));
  return extendToF32(builder, loadTile(builder, memory, place));
}

void Walk::store(TileBuilder &builder, Value value, Value memory, Value rows,
                 const ColumnSlice &columns) const {
  Type element = getElementTypeOrSelf(memory.getType());
  SmallVector<Value> place = indices(builder, memory, rows);
  if (columns)
    place.push_back(columns.range(builder));
  storeTile(builder, roundTo(builder, value, element), memory, place);
}
