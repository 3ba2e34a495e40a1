#include "compiler/target/cuda/registers/KernelLayouts.h"
#include "compiler/target/cuda/layout/Conversion.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

void KernelLayouts::define(Value tile, Value value) {
  LayoutAttr layout = layoutOf(value.getType());
  choice_.setHome(tile, layout);
  made_.add(tile, layout, value);
}

Value KernelLayouts::demand(Value tile, LayoutAttr layout) {
  if (!isTile(tile))
    return scalars_.lookupOrDefault(tile);
  if (Value known = made_.find(tile, layout))
    return known;
  Value value = choice_.isFree(tile) ? remake(tile, layout) : convert(tile, layout);
  made_.add(tile, layout, value);
  return value;
}

/// The layout in which an op that works in `result` needs its operands.
static LayoutAttr layoutOfOperands(Operation *op, LayoutAttr result) {
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return TileLayouts::slice(result, *broadcast.getAxis());
  return result;
}

Value KernelLayouts::remake(Value tile, LayoutAttr layout) {
  Operation *op = tile.getDefiningOp();
  RankedTensorType type = withLayout(tile.getType(), layout);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    return arith::ConstantOp::create(builder_, elements.reshape(type));
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return ReadPartOp::create(builder_, type, bufferOf(slice.getSource()), slice.getStaticOffsets());
  if (isa<tensor::InsertSliceOp>(op))
    return tile::ReadOp::create(builder_, type, bufferOf(tile));
  IRMapping operands;
  for (Value operand : op->getOperands())
    operands.map(operand, isTile(operand) ? demand(operand, layoutOfOperands(op, layout))
                                          : scalars_.lookupOrDefault(operand));
  Operation *clone = builder_.clone(*op, operands);
  clone->getResult(0).setType(type);
  return clone->getResult(0);
}

Value KernelLayouts::convert(Value tile, LayoutAttr layout) {
  LayoutAttr home = choice_.homeOf(tile);
  Value from = made_.find(tile, home);
  assert(from && "a tile has its home before it is asked for");
  RankedTensorType type = withLayout(tile.getType(), layout);
  // Where lanes choose between many registers, writing them and reading them again is shorter.
  constexpr unsigned mostShuffles = 32;
  Conversion plan = planConversion(home.getLayout(), layout.getLayout());
  bool isShort = plan.shuffles <= mostShuffles || type.getElementTypeBitWidth() < 16;
  if (plan.kind != ConversionKind::shared && isShort) {
    ++counts.conversions;
    return ConvertOp::create(builder_, type, from);
  }
  return tile::ReadOp::create(builder_, type, bufferOf(tile));
}

/// A buffer that holds the tile.
Value KernelLayouts::bufferOf(Value tile) {
  if (Value known = made_.findBuffer(tile))
    return known;
  ++counts.buffers;
  RankedTensorType type = tileType(tile);
  Value value = demand(tile, choice_.homeOf(tile));
  Value buffer = tile::AllocOp::create(
      builder_, tile::BufferType::get(builder_.getContext(), type.getShape(), type.getElementType()));
  tile::WriteOp::create(builder_, value, buffer);
  made_.addBuffer(tile, buffer);
  return buffer;
}

/// The tile is made in a buffer: that of what it goes into, where nobody else asks for that.
void KernelLayouts::emitInsert(tensor::InsertSliceOp insert) {
  Value into = insert.getDest();
  Value buffer =
      into.hasOneUse() && into.getDefiningOp<tensor::InsertSliceOp>() ? made_.findBuffer(into) : Value();
  if (!buffer) {
    RankedTensorType type = tileType(into);
    buffer = tile::AllocOp::create(
        builder_, tile::BufferType::get(builder_.getContext(), type.getShape(), type.getElementType()));
    tile::WriteOp::create(builder_, demand(into, choice_.homeOf(into)), buffer);
    ++counts.buffers;
  }
  Value part = insert.getSource();
  WritePartOp::create(builder_, demand(part, choice_.homeOf(part)), buffer, insert.getStaticOffsets());
  made_.addBuffer(insert, buffer);
}
