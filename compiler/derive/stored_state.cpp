#include "compiler/derive/stored_state.h"

using namespace mlir;
using namespace linmu;

StoredState::StoredState(pattern::NormalScanOp scan, unsigned state)
    : slice(pattern::sliceType(cast<RankedTensorType>(scan.getFinals()[state].getType()), 2)),
      key_axis(scan.getForm(state).getKeyAxis()) {
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
    return builder.along(stored, key_axis == 0 ? 0 : 1, {key_size, value_size});
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
