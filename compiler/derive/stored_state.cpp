#include "compiler/derive/stored_state.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;

StoredState::StoredState(pattern::NormalScanOp scan, unsigned state)
    : StoredState(pattern::sliceType(cast<RankedTensorType>(scan.getFinals()[state].getType()), 2),
                  scan.getForm(scan.getStageOf(state)).getKeyAxis()) {}

StoredState::StoredState(Type slice, int64_t keyAxis) : slice(slice), key_axis(keyAxis) {
  auto type = dyn_cast<RankedTensorType>(slice);
  if (!type)
    return;
  if (type.getRank() == 1) {
    (key_axis == 0 ? key_size : value_size) = type.getDimSize(0);
    return;
  }
  key_size = type.getDimSize(key_axis);
  value_size = type.getDimSize(1 - key_axis);
}

static Value transpose(TileBuilder &builder, Value matrix) {
  auto type = cast<RankedTensorType>(matrix.getType());
  return tile::TransposeOp::create(builder, builder.f32Tile({type.getDimSize(1), type.getDimSize(0)}),
                                   matrix);
}

Value StoredState::toMatrix(TileBuilder &builder, Value stored) const {
  if (rankOf(stored) == 0)
    return builder.fill(stored, {1, 1});
  if (rankOf(stored) == 1)
    return key_axis == 0
               ? builder.along(stored, 0, {key_size, 1})
               : builder.along(stored, 1, {1, cast<RankedTensorType>(stored.getType()).getDimSize(0)});
  return key_axis == 0 ? stored : transpose(builder, stored);
}

Value StoredState::fromMatrix(TileBuilder &builder, Value matrix) const {
  auto type = dyn_cast<RankedTensorType>(slice);
  if (!type)
    return builder.sum(builder.sum(matrix, 1), 0);
  if (type.getRank() == 1)
    return builder.sum(matrix, key_axis == 0 ? 1 : 0);
  return key_axis == 0 ? matrix : transpose(builder, matrix);
}

/// Of this batch and head; the value axis by the slice.
SmallVector<Value> StoredState::indices(TileBuilder &builder, const Walk &walk, Value memory,
                                        const ColumnSlice &columns) const {
  SmallVector<Value> place = walk.indices(builder, memory, {});
  if (!columns || !hasColumns())
    return place;
  if (auto type = cast<RankedTensorType>(slice); type.getRank() == 2 && key_axis == 0)
    place.push_back(tileRange(builder, builder.index(0), key_size, {}));
  place.push_back(columns.range(builder));
  return place;
}

Value StoredState::load(TileBuilder &builder, const Walk &walk, Value memory,
                        const ColumnSlice &columns) const {
  if (memory)
    return toMatrix(builder,
                    extendToF32(builder, loadTile(builder, memory, indices(builder, walk, memory, columns))));
  int64_t width = columns && hasColumns() ? columns.size : value_size;
  return builder.splat(builder.f32Tile({key_size, width}), 0);
}

void StoredState::store(TileBuilder &builder, const Walk &walk, Value matrix, Value memory,
                        const ColumnSlice &columns) const {
  Value stored = roundTo(builder, fromMatrix(builder, matrix),
                         cast<RankedTensorType>(memory.getType()).getElementType());
  storeTile(builder, stored, memory, indices(builder, walk, memory, columns));
}
