#include "compiler/tile/Slices.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

SmallVector<Span> tile::spansOf(int64_t extent, int64_t size) {
  SmallVector<Span> spans;
  for (int64_t first = 0; first < extent; first += size)
    spans.push_back({first, std::min(size, extent - first)});
  return spans;
}

int64_t tile::extentOf(Value tile, int64_t axis) {
  return cast<RankedTensorType>(tile.getType()).getDimSize(axis);
}

Value tile::rowsOf(TileBuilder &builder, Value matrix, Span rows) {
  return blockOf(builder, matrix, rows, {0, extentOf(matrix, 1)});
}

static SmallVector<OpFoldResult> attributes(TileBuilder &builder, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(builder.getContext(), values);
}

Value tile::blockOf(TileBuilder &builder, Value matrix, Span rows, Span columns) {
  auto type = cast<RankedTensorType>(matrix.getType());
  if (type.getShape() == ArrayRef<int64_t>{rows.size, columns.size})
    return matrix;
  return tensor::ExtractSliceOp::create(
      builder, RankedTensorType::get({rows.size, columns.size}, type.getElementType()), matrix,
      attributes(builder, {rows.first, columns.first}), attributes(builder, {rows.size, columns.size}),
      attributes(builder, {1, 1}));
}

Value tile::withBlock(TileBuilder &builder, Value matrix, Value block, int64_t row, int64_t column) {
  if (matrix.getType() == block.getType())
    return block;
  return tensor::InsertSliceOp::create(
      builder, block, matrix, attributes(builder, {row, column}),
      attributes(builder, cast<RankedTensorType>(block.getType()).getShape()), attributes(builder, {1, 1}));
}
