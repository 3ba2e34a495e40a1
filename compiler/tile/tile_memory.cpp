#include "compiler/tile/tile_memory.h"
#include "compiler/tile/tile_conversions.h"

using namespace mlir;
using namespace linmu;

Value linmu::tileRange(TileBuilder &builder, Value first, int64_t size, const RangeOptions &options) {
  return tile::RangeOp::create(builder, tile::RangeType::get(builder.getContext(), size), first, options.from,
                               options.to, options.backward, options.order, options.batch);
}

Value linmu::isBefore(TileBuilder &builder, Value to, int64_t size) {
  return builder.compare(arith::CmpIPredicate::slt, builder.coordinate({size}),
                         builder.fill(toI32(builder, to), {size}));
}

Value linmu::loadTile(TileBuilder &builder, Value memory, ValueRange indices) {
  auto type = cast<RankedTensorType>(memory.getType());
  SmallVector<int64_t> shape;
  for (Value index : indices)
    if (auto rows = dyn_cast<RankedTensorType>(index.getType()))
      shape.push_back(rows.getDimSize(0));
    else if (auto range = dyn_cast<tile::RangeType>(index.getType()))
      shape.push_back(range.getSize());
  llvm::append_range(shape, type.getShape().drop_front(indices.size()));
  Type result =
      shape.empty() ? type.getElementType() : Type(RankedTensorType::get(shape, type.getElementType()));
  return tile::LoadOp::create(builder, result, memory, indices);
}

void linmu::storeTile(TileBuilder &builder, Value value, Value memory, ValueRange indices, Value mask) {
  tile::StoreOp::create(builder, value, memory, indices, mask);
}
